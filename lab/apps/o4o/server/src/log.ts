/** The log: JSON lines to stdout, app.log and error.log, rotated by size, without secrets. */
import { mkdirSync } from 'node:fs'
import { createLogger, format, transports, type Logger } from 'winston'
import { makeRedact } from './redact'
import type { Release } from './release'
import type { Settings } from './settings'

const ROTATION = { dirname: '', maxsize: 5_000_000, maxFiles: 5, tailable: true }

export type Log = Logger

export function makeLog(settings: Settings, release: Release): Log {
  mkdirSync(settings.LOG_DIR, { recursive: true, mode: 0o750 })
  const rotation = { ...ROTATION, dirname: settings.LOG_DIR }
  const redact = makeRedact(settings)
  return createLogger({
    level: settings.LOG_LEVEL,
    defaultMeta: { release: release.release, instance: process.env.NODE_APP_INSTANCE ?? '0' },
    // Assigned in place: winston keeps the level under a symbol, which a copy made from entries would lose.
    format: format.combine(
      format.timestamp(),
      format((line) => Object.assign(line, redact(line)))(),
      format.json(),
    ),
    transports: [
      new transports.Console(),
      new transports.File({ ...rotation, filename: 'app.log' }),
      new transports.File({ ...rotation, filename: 'error.log', level: 'error' }),
    ],
  })
}

/** Resolves when every line is on disk. */
export function closeLog(log: Log): Promise<void> {
  return new Promise((resolve) => {
    log.once('finish', () => setImmediate(resolve))
    log.end()
  })
}
