import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { closeLog, makeLog } from '../../src/log'
import { makeRedact, REDACTED } from '../../src/redact'
import { DEVELOPMENT } from '../../src/release'
import { parseSettings } from '../../src/settings'
import { productionEnvironment } from '../support'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'o4o-log-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

const lines = (name: string) =>
  readFileSync(join(folder, name), 'utf8').trim().split('\n').map((line) => JSON.parse(line))

it('takes known secrets and secret names out of anything', () => {
  const settings = parseSettings(productionEnvironment())
  const redact = makeRedact(settings)
  const seen = redact({
    url: `postgres://o4o:${settings.DB_PASSWORD}@db`,
    deep: [{ Authorization: 'Bearer x', cookie: 'y' }],
    error: new Error(settings.JWT_SECRET),
    count: 1,
  })
  expect(seen).toMatchObject({
    url: `postgres://o4o:${REDACTED}@db`,
    deep: [{ Authorization: REDACTED, cookie: REDACTED }],
    error: { message: REDACTED },
    count: 1,
  })
})

it('writes JSON lines without secrets, and errors a second time', async () => {
  const settings = parseSettings({ ...productionEnvironment(), LOG_DIR: folder })
  const log = makeLog(settings, DEVELOPMENT)
  log.info('below the level')
  log.warn(`using ${settings.SMTP_PASSWORD}`)
  log.error('broken', { error: new Error(settings.REDIS_PASSWORD) })
  await closeLog(log)
  expect(lines('app.log')).toMatchObject([
    { level: 'warn', message: `using ${REDACTED}`, release: 'dev' },
    { level: 'error', message: 'broken', error: { message: REDACTED } },
  ])
  expect(lines('error.log')).toHaveLength(1)
})
