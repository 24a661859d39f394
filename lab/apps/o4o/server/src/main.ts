/** The program PM2 runs: starts one instance, says when it is ready, and leaves in good order when told to. */
import { crashLater, leakSecret } from './defects'
import { closeLog, makeLog } from './log'
import { readRelease } from './release'
import { start } from './server'
import { loadSettings } from './settings'

const LEAVE_WITHIN_MS = 8000

async function main(): Promise<void> {
  const release = readRelease()
  const settings = loadSettings(release)
  const log = makeLog(settings, release)
  try {
    const instance = await start(settings, release, log)
    const leave = (signal: string) => {
      setTimeout(() => process.exit(1), LEAVE_WITHIN_MS).unref()
      log.info('leaving', { signal })
      instance
        .close()
        .then(() => closeLog(log))
        .finally(() => process.exit(0))
    }
    process.once('SIGINT', leave)
    process.once('SIGTERM', leave)
    leakSecret(release, settings, (line) => log.transports.forEach((one) => one.log?.(rawLine(line), () => undefined)))
    log.info('ready', { port: instance.port, environment: settings.NODE_ENV })
    process.send?.('ready')
    crashLater(release)
  } catch (error) {
    log.error('cannot start', { error })
    await closeLog(log)
    process.exit(1)
  }
}

// What winston's transports write is kept under this symbol.
function rawLine(message: string): Record<string | symbol, string> {
  return { level: 'info', message, [Symbol.for('level')]: 'info', [Symbol.for('message')]: JSON.stringify({ level: 'info', message }) }
}

main().catch((error: Error) => {
  process.stderr.write(`o4o: ${error.message}\n`)
  process.exit(1)
})
