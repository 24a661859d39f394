import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { describe, expect, it } from 'vitest'
import { distortSettings } from '../../src/defects'
import { DEVELOPMENT } from '../../src/release'
import { describeSettings, KEYS, parseSettings, SECRETS } from '../../src/settings'
import { productionEnvironment } from '../support'

const example = () => parse(readFileSync(join(__dirname, '../../../env.example')))

describe('production', () => {
  it('accepts a complete environment', () => {
    const settings = parseSettings(productionEnvironment())
    expect(settings.RATE_LIMIT_MAX).toBe(50)
    expect(settings.CORS_ORIGINS).toEqual(['https://o4o.example', 'http://127.0.0.1:18003'])
  })

  it.each(Object.keys(productionEnvironment()))('refuses to go without %s', (key) => {
    expect(() => parseSettings({ ...productionEnvironment(), [key]: '' })).toThrow(key)
  })

  it.each([
    ['JWT_SECRET', 'k3Jx-tiny'],
    ['JWT_SECRET', 'a'.repeat(64)],
    ['CSRF_SECRET', 'please-change-me-0123456789-abcdefghij'],
    ['DB_PASSWORD', 'example-database-password'],
  ])('refuses a weak %s and does not repeat it', (key, value) => {
    const attempt = () => parseSettings({ ...productionEnvironment(), [key]: value })
    expect(attempt).toThrow(key)
    expect(attempt).not.toThrow(value)
  })

  it('refuses one secret for two purposes', () => {
    const environment = productionEnvironment()
    expect(() => parseSettings({ ...environment, CSRF_SECRET: environment.JWT_SECRET })).toThrow('must differ')
  })

  it.each(['*', 'http://o4o.example', 'https://o4o.example/', 'o4o.example'])('refuses the origin %s', (origin) => {
    expect(() => parseSettings({ ...productionEnvironment(), CORS_ORIGINS: origin })).toThrow('CORS_ORIGINS')
  })

  it('refuses the values of the example', () => {
    expect(() => parseSettings(example())).toThrow('JWT_SECRET')
  })
})

it('refuses an environment without NODE_ENV', () => {
  expect(() => parseSettings({})).toThrow('NODE_ENV')
})

it('makes its own signing keys for development', () => {
  const settings = parseSettings({ NODE_ENV: 'development' })
  expect(settings.JWT_SECRET).not.toBe(settings.CSRF_SECRET)
})

it('has an example with exactly its own keys', () => {
  expect(Object.keys(example()).sort()).toEqual([...KEYS].sort())
})

describe('the description', () => {
  const settings = parseSettings(productionEnvironment())

  it('holds no secret', () => {
    const text = JSON.stringify([describeSettings(settings, 'key'), describeSettings(settings, undefined)])
    for (const key of SECRETS) if (settings[key]) expect(text).not.toContain(settings[key])
  })

  it('hashes a secret with the key it is given', () => {
    const expected = createHmac('sha256', 'key').update(settings.JWT_SECRET).digest('hex')
    expect(describeSettings(settings, 'key').JWT_SECRET).toEqual({ 'hmac-sha256': expected })
  })

  it('has null for a secret when there is no key', () => {
    expect(describeSettings(settings, undefined).JWT_SECRET).toBeNull()
  })
})

it('is distorted by the settings defect and by no other', () => {
  const settings = parseSettings(productionEnvironment())
  expect(distortSettings(settings, DEVELOPMENT)).toBe(settings)
  expect(distortSettings(settings, { ...DEVELOPMENT, defect: 'settings' })).toMatchObject({
    NODE_ENV: 'development', LOG_LEVEL: 'debug',
  })
})
