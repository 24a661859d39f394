import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import cookieParser from 'cookie-parser'
import express from 'express'
import { Redis } from 'ioredis'
import { afterEach, describe, expect, it } from 'vitest'
import { createLogger } from 'winston'
import { answerErrors } from '../../src/problem'
import { DEVELOPMENT } from '../../src/release'
import { makeGuards } from '../../src/security'
import { parseSettings } from '../../src/settings'
import { productionEnvironment } from '../support'

let server: Server | undefined

afterEach(() => server?.close())

// Everything but the rate limit, which needs a Redis and is tested end to end.
async function serve(): Promise<string> {
  const settings = parseSettings(productionEnvironment())
  const redis = new Redis({ lazyConnect: true })
  const guards = makeGuards(settings, { ...DEVELOPMENT, defect: 'noratelimit' }, redis)
  const app = express()
  app.use(...guards.headers, express.json(), guards.origins, cookieParser(), ...guards.csrf)
  app.get('/token', guards.sendCsrfToken)
  app.post('/change', (_request, response) => void response.json({}))
  app.use(answerErrors(createLogger({ silent: true }), { error: () => undefined, timing: () => undefined }))
  await new Promise<void>((resolve) => {
    server = app.listen(0, () => resolve())
  })
  return `http://127.0.0.1:${(server?.address() as AddressInfo).port}`
}

async function getToken(url: string): Promise<{ token: string; cookies: string[] }> {
  const answer = await fetch(`${url}/token`)
  const { token } = (await answer.json()) as { token: string }
  return { token, cookies: answer.headers.getSetCookie() }
}

const change = (url: string, headers: Record<string, string>) =>
  fetch(`${url}/change`, { method: 'POST', headers })

const sent = (cookies: string[]) => cookies.map((cookie) => cookie.split(';')[0]).join('; ')

describe('the CSRF token', () => {
  it('lets a change pass', async () => {
    const url = await serve()
    const { token, cookies } = await getToken(url)
    expect((await change(url, { 'x-csrf-token': token, cookie: sent(cookies) })).status).toBe(200)
  })

  it('is kept in cookies a script cannot read and another host cannot set', async () => {
    const { cookies } = await getToken(await serve())
    expect(cookies).toHaveLength(2)
    for (const cookie of cookies) expect(cookie).toMatch(/^__Host-.*Path=\/; HttpOnly; Secure; SameSite=Strict$/)
  })

  it('is wanted', async () => {
    const answer = await change(await serve(), {})
    expect(answer.status).toBe(403)
    expect(await answer.json()).toMatchObject({ error: { code: 'csrf_invalid' } })
  })

  it('of another session does not count', async () => {
    const url = await serve()
    const mine = await getToken(url)
    const other = await getToken(url)
    const session = (cookies: string[], name: string) => cookies.filter((cookie) => cookie.includes(name))
    const mixed = [...session(mine.cookies, '.session'), ...session(other.cookies, '.csrf')]
    expect((await change(url, { 'x-csrf-token': other.token, cookie: sent(mixed) })).status).toBe(403)
  })
})

it('sends the headers Helmet knows', async () => {
  const { headers } = await fetch(`${await serve()}/token`)
  expect(headers.get('content-security-policy')).toContain("default-src 'self'")
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('x-powered-by')).toBeNull()
})

it('allows the declared origins only', async () => {
  const url = await serve()
  const allowed = async (origin: string) =>
    (await fetch(`${url}/token`, { headers: { origin } })).headers.get('access-control-allow-origin')
  expect(await allowed('https://o4o.example')).toBe('https://o4o.example')
  expect(await allowed('https://evil.example')).toBeNull()
})
