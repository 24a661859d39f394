import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { createLogger } from 'winston'
import { readDsn } from '../../src/dsn'
import { DEVELOPMENT } from '../../src/release'
import { parseSettings } from '../../src/settings'
import { makeTracker } from '../../src/tracker'
import { productionEnvironment } from '../support'

const log = createLogger({ silent: true })

it('reads a DSN, also one below a path', () => {
  expect(readDsn('http://k3y@tracker.lab:8090/1')).toEqual({
    url: 'http://tracker.lab:8090/api/1/envelope/', key: 'k3y',
  })
  expect(readDsn('https://k3y@o1.tracker.test/sub/42').url).toBe('https://o1.tracker.test/sub/api/42/envelope/')
})

it.each(['', 'tracker', 'http://tracker.lab/1', 'http://k3y@tracker.lab', 'ftp://k3y@tracker.lab/1'])(
  'refuses the DSN "%s"', (text) => expect(() => readDsn(text)).toThrow('is no DSN'),
)

it('sends an error as an envelope, with its key and without a secret', async () => {
  const { request, body, settings } = await received((tracker, { DB_PASSWORD }) =>
    tracker.error(new Error(`no ${DB_PASSWORD}`), 'GET /api/items'))
  const [header, item, event] = body.split('\n').map((line) => JSON.parse(line))
  expect(request.url).toBe('/api/1/envelope/')
  expect(request.headers['x-sentry-auth']).toContain('sentry_key=k3y-of-the-tests')
  expect(item).toEqual({ type: 'event' })
  expect(event).toMatchObject({
    event_id: header.event_id, level: 'error', release: 'dev', transaction: 'GET /api/items',
    exception: { values: [{ type: 'Error', value: 'no [redacted]' }] },
  })
  expect(body).not.toContain(settings.DB_PASSWORD)
})

async function received(act: (tracker: ReturnType<typeof makeTracker>, settings: ReturnType<typeof parseSettings>) => void) {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const dsn = `http://k3y-of-the-tests@127.0.0.1:${(server.address() as AddressInfo).port}/1`
  const settings = parseSettings({ ...productionEnvironment(), ERROR_TRACKING_DSN: dsn })
  const taken = new Promise<{ request: IncomingMessage; body: string }>((resolve) => {
    server.once('request', async (request: IncomingMessage, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      response.end('{}')
      resolve({ request, body: Buffer.concat(chunks).toString() })
    })
  })
  act(makeTracker(settings, DEVELOPMENT, log), settings)
  const { request, body } = await taken
  server.close()
  return { request, body, settings }
}
