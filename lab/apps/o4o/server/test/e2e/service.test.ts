import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createLogger } from 'winston'
import { makeDatabase, readSchema } from '../../src/database'
import { migrate } from '../../src/migrate'
import type { Release } from '../../src/release'
import { start, type Instance } from '../../src/server'
import { parseSettings, type Settings } from '../../src/settings'
import { randomText } from '../support'

const ONE: Release = { release: '1', schema: 1, defect: '' }
const TWO: Release = { release: '2', schema: 2, defect: '' }
const ORIGIN = 'https://o4o.example'
const log = createLogger({ silent: true })

let settings: Settings
let folder = ''
let instance: Instance | undefined

beforeAll(async () => {
  // Everything in the database is dropped, so its name must say that it may be.
  if (!/_test$/.test(process.env.DB_NAME ?? '')) throw new Error('set DB_NAME to a database whose name ends in _test')
  folder = mkdtempSync(join(tmpdir(), 'o4o-e2e-'))
  mkdirSync(join(folder, 'assets'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>O4O</title>')
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'export {}')
  settings = {
    ...parseSettings({
      ...process.env, NODE_ENV: 'test', CORS_ORIGINS: ORIGIN, WEB_DIST: folder, DEMO_PASSWORD: randomText(),
    }),
    PORT: 0,
  }
  await empty()
})

afterEach(async () => {
  await instance?.close()
  instance = undefined
})

afterAll(() => {
  if (folder) rmSync(folder, { recursive: true })
})

async function empty(): Promise<void> {
  const database = await makeDatabase(settings, ONE).initialize()
  await database.query('DROP TABLE IF EXISTS tags, items, migrations')
  await database.destroy()
  await forgetRequests()
}

async function forgetRequests(): Promise<void> {
  const { REDIS_HOST: host, REDIS_PORT: port, REDIS_PASSWORD: password } = settings
  const redis = new Redis({ host, port, password })
  const keys = await redis.keys('o4o:rate-limit:*')
  if (keys.length > 0) await redis.del(keys)
  await redis.quit()
}

async function withDatabase<T>(release: Release, work: (database: ReturnType<typeof makeDatabase>) => Promise<T>) {
  const database = await makeDatabase(settings, release).initialize()
  try {
    return await work(database)
  } finally {
    await database.destroy()
  }
}

async function serve(release: Release, changed: Partial<Settings> = {}): Promise<string> {
  instance = await start({ ...settings, ...changed }, release, log)
  return `http://127.0.0.1:${instance.port}`
}

async function post(url: string, path: string, json: unknown): Promise<Response> {
  const answer = await fetch(`${url}/api/csrf-token`)
  const { token } = (await answer.json()) as { token: string }
  const cookie = answer.headers.getSetCookie().map((one) => one.split(';')[0]).join('; ')
  return fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-csrf-token': token, cookie },
    body: JSON.stringify(json),
  })
}

const addItem = (url: string, json: unknown) => post(url, '/api/items', json)

describe('migrations', () => {
  it('are pending on an empty database, and looking changes nothing', async () => {
    const twice = await withDatabase(ONE, async (database) => [await readSchema(database), await readSchema(database)])
    expect(twice[0]).toEqual({ current: null, head: '0001', pending: ['0001'] })
    expect(twice[1]).toEqual(twice[0])
  })

  it('leave a release that waits for them unhealthy', async () => {
    const answer = await fetch(`${await serve(ONE)}/health`)
    expect(answer.status).toBe(503)
    expect(await answer.json()).toMatchObject({ status: 'degraded', checks: { database: 'ok', schema: 'fail' } })
  })

  it('bring a release to its own schema and no further', async () => {
    const state = await withDatabase(ONE, migrate)
    expect(state).toEqual({ applied: ['0001'], current: '0001', head: '0001', pending: [] })
  })

  it('run once when two start together, and keep what was there', async () => {
    expect((await addItem(await serve(ONE), { title: '이전' })).status).toBe(201)
    const both = await Promise.all([withDatabase(TWO, migrate), withDatabase(TWO, migrate)])
    expect(both.flatMap(({ applied }) => applied)).toEqual(['0002'])
    const { items } = (await (await fetch(`${await again(TWO)}/api/items`)).json()) as { items: object[] }
    expect(items).toMatchObject([{ title: '이전', note: '' }])
  })

  it('add only, so the release before still works', async () => {
    const url = await serve(ONE)
    expect((await fetch(`${url}/health`)).status).toBe(200)
    expect((await addItem(url, { title: 'one on two' })).status).toBe(201)
  })

  it('that fail leave nothing behind', async () => {
    const three: Release = { release: '3-migration', schema: 3, defect: 'migration' }
    await expect(withDatabase(three, migrate)).rejects.toThrow('already exists')
    const columns = await withDatabase(TWO, (database) =>
      database.query(`SELECT 1 FROM information_schema.columns WHERE table_name = 'items' AND column_name = 'colour'`),
    )
    expect(columns).toEqual([])
  })

  async function again(release: Release): Promise<string> {
    await instance?.close()
    return serve(release)
  }
})

describe('items', () => {
  it('are refused without a CSRF token', async () => {
    const answer = await fetch(`${await serve(TWO)}/api/items`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title": "x"}',
    })
    expect(answer.status).toBe(403)
  })

  it('are found by a part of their title, which is never SQL', async () => {
    const url = await serve(TWO)
    const title = `"; DROP TABLE items; -- <script>`
    expect((await addItem(url, { title, note: '메모' })).status).toBe(201)
    const search = async (q: string) =>
      ((await (await fetch(`${url}/api/items?q=${encodeURIComponent(q)}`)).json()) as { items: object[] }).items
    expect(await search('drop table')).toMatchObject([{ title, note: '메모' }])
    expect(await search('%')).toEqual([])
  })

  it.each([{}, { title: '' }, { title: 'x', colour: 'red' }])('are refused when they are %j', async (item) => {
    expect((await addItem(await serve(TWO), item)).status).toBe(400)
  })
})

describe('the demonstration account', () => {
  it('gets a token that says who it is', async () => {
    const url = await serve(TWO)
    const answer = await post(url, '/api/login', { name: 'demo', password: settings.DEMO_PASSWORD })
    const { token } = (await answer.json()) as { token: string }
    const asked = await fetch(`${url}/api/whoami`, { headers: { authorization: `Bearer ${token}` } })
    expect(await asked.json()).toEqual({ name: 'demo' })
  })

  it('gets none with the wrong password, nor does an invented token count', async () => {
    const url = await serve(TWO)
    expect((await post(url, '/api/login', { name: 'demo', password: 'x' })).status).toBe(401)
    expect((await fetch(`${url}/api/whoami`)).status).toBe(401)
    const headers = { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vIn0.' }
    expect((await fetch(`${url}/api/whoami`, { headers })).status).toBe(401)
  })
})

it('stops a burst and recovers', async () => {
  await forgetRequests()
  const url = await serve(TWO, { RATE_LIMIT_MAX: 3, RATE_LIMIT_WINDOW_MS: 1000 })
  const burst = await Promise.all(Array.from({ length: 5 }, () => fetch(`${url}/api/items`)))
  expect(burst.map(({ status }) => status).sort()).toEqual([200, 200, 200, 429, 429])
  expect((await fetch(`${url}/health`)).status).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  expect((await fetch(`${url}/api/items`)).status).toBe(200)
  await forgetRequests()
})

it('tells browsers to keep assets and to ask again for pages', async () => {
  const url = await serve(TWO)
  const asset = await fetch(`${url}/assets/index-abc.js`)
  expect(asset.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
  const page = await fetch(`${url}/about`)
  expect(page.headers.get('cache-control')).toBe('no-cache')
  // Same length and same time: what a new release's page looks like when it comes out of an artifact.
  const file = join(folder, 'index.html')
  const { atime, mtime } = statSync(file)
  writeFileSync(file, '<!doctype html><title>O5O</title>')
  utimesSync(file, atime, mtime)
  const validators = [page, await fetch(`${url}/about`), await fetch(url)].map(({ headers }) => headers.get('etag'))
  expect(validators[0]).toBeTruthy()
  expect(validators[1]).not.toBe(validators[0])
  expect(validators[2]).toBe(validators[1])
  expect((await fetch(`${url}/assets/index-gone.js`)).status).toBe(404)
  expect((await fetch(`${url}/assets/..%2f..%2fpackage.json`)).status).toBe(404)
})

describe('a broken release', () => {
  const broken = (defect: Release['defect']): Release => ({ ...TWO, release: `3-${defect}`, defect })

  it('is unhealthy', async () => {
    expect((await fetch(`${await serve(broken('unhealthy'))}/health`)).status).toBe(503)
  })

  it('has no security headers', async () => {
    expect((await fetch(`${await serve(broken('nohelmet'))}/health`)).headers.has('content-security-policy')).toBe(false)
  })

  it('takes a change without a CSRF token', async () => {
    const answer = await fetch(`${await serve(broken('nocsrf'))}/api/items`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"title": "x"}',
    })
    expect(answer.status).toBe(201)
  })

  it('runs a search as SQL', async () => {
    const url = await serve(broken('sql'))
    expect((await fetch(`${url}/api/items?q=x%27`)).status).toBe(500)
  })

  it('shows a search as HTML', async () => {
    const answer = await fetch(`${await serve(broken('xss'))}/api/items?q=%3Cb%3E`)
    expect(answer.headers.get('content-type')).toContain('text/html')
    expect(await answer.text()).toContain('<b>')
  })

  it('has no rate limit', async () => {
    const url = await serve(broken('noratelimit'), { RATE_LIMIT_MAX: 1 })
    const burst = await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/api/items`)))
    expect(burst.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  })
})
