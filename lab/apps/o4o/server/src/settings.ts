/**
 * The settings: every value the service is told from outside, checked once. `.env` in the release directory wins over
 * the process's environment, because PM2 remembers the environment of an earlier start and would bring it back.
 * `node dist/settings.js --print` shows what the service made of them; secrets only as keyed hashes.
 */
import { createHmac, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'dotenv'
import { z } from 'zod'
import { distortSettings } from './defects'
import { readDsn } from './dsn'
import { RELEASE_DIR, readRelease, type Release } from './release'

export const SECRETS = [
  'DB_PASSWORD', 'REDIS_PASSWORD', 'JWT_SECRET', 'CSRF_SECRET', 'SMTP_PASSWORD', 'DEMO_PASSWORD',
  'ERROR_TRACKING_DSN', 'APM_DSN',
] as const
/** May be left out, also in production. */
const OPTIONAL: readonly string[] = ['LOG_DIR', 'WEB_DIST', 'DEMO_PASSWORD']
const SIGNING = ['JWT_SECRET', 'CSRF_SECRET'] as const
const SHORTEST = { signing: 32, password: 16 }
const PLACEHOLDER = /change|example|placeholder|password|secret/i

const port = z.coerce.number().int().min(1).max(65535)
const count = (most: number) => z.coerce.number().int().min(1).max(most)
const directory = (fallback: string) =>
  z.string().default(fallback).transform((path) => resolve(RELEASE_DIR, path))
// Its key makes all of it a secret, so a complaint must not repeat it.
const dsn = z.string().default('').refine((text) => !text || isDsn(text), 'is no DSN')
const signingKey = z.string().default(() => randomBytes(32).toString('hex'))

const shape = z.object({
  NODE_ENV: z.enum(['production', 'development', 'test']),
  PORT: port.default(3000),
  LOG_LEVEL: z.enum(['error', 'warn', 'info', 'debug']).default('info'),
  LOG_DIR: directory('logs'),
  WEB_DIST: directory('web'),
  CORS_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(',').map((origin) => origin.trim()).filter(Boolean)),
  RATE_LIMIT_WINDOW_MS: count(3_600_000).default(60_000),
  RATE_LIMIT_MAX: count(1_000_000).default(100),
  DB_HOST: z.string().default('127.0.0.1'),
  DB_PORT: port.default(5432),
  DB_NAME: z.string().default('o4o'),
  DB_USER: z.string().default('o4o'),
  DB_PASSWORD: z.string().default(''),
  DB_POOL_SIZE: count(100).default(5),
  REDIS_HOST: z.string().default('127.0.0.1'),
  REDIS_PORT: port.default(6379),
  REDIS_PASSWORD: z.string().default(''),
  JWT_SECRET: signingKey,
  CSRF_SECRET: signingKey,
  SMTP_HOST: z.string().default('127.0.0.1'),
  SMTP_PORT: port.default(587),
  SMTP_USER: z.string().default(''),
  SMTP_PASSWORD: z.string().default(''),
  DEMO_PASSWORD: z.string().default(''),
  ERROR_TRACKING_DSN: dsn,
  APM_DSN: dsn,
})

export type Settings = Readonly<z.infer<typeof shape>>
export const KEYS = Object.keys(shape.shape) as (keyof Settings)[]

export class InvalidSettings extends Error {}

/** Throws InvalidSettings with every complaint at once, and never with a value in it. */
export function parseSettings(environment: NodeJS.ProcessEnv): Settings {
  // `KEY=` in an env file means "not set".
  const given = Object.fromEntries(
    KEYS.map((key) => [key, environment[key] || undefined] as const).filter(([, value]) => value),
  )
  const parsed = shape.safeParse(given)
  if (!parsed.success) {
    throw new InvalidSettings(
      parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
    )
  }
  const complaints = parsed.data.NODE_ENV === 'production' ? weaknesses(parsed.data, given) : []
  if (complaints.length > 0) throw new InvalidSettings(complaints.join('; '))
  return Object.freeze(parsed.data)
}

export function loadSettings(release: Release = readRelease()): Settings {
  return distortSettings(parseSettings({ ...process.env, ...readEnvFile() }), release)
}

/** One flat object, fit to be shown: a secret is a keyed hash of its value, or null when there is no key. */
export function describeSettings(settings: Settings, hashKey: string | undefined): Record<string, unknown> {
  const hash = (value: string) =>
    hashKey ? { 'hmac-sha256': createHmac('sha256', hashKey).update(value).digest('hex') } : null
  return Object.fromEntries(KEYS.map((key) => [key, isSecret(key) ? hash(settings[key]) : settings[key]]))
}

function isSecret(key: keyof Settings): key is (typeof SECRETS)[number] {
  return (SECRETS as readonly string[]).includes(key)
}

function readEnvFile(): Record<string, string> {
  try {
    return parse(readFileSync(join(RELEASE_DIR, '.env')))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw error
  }
}

function weaknesses(settings: Settings, given: Record<string, unknown>): string[] {
  const missing = KEYS.filter((key) => !(key in given) && !OPTIONAL.includes(key))
  const weak = SECRETS.filter((key) => given[key] && isWeak(settings[key], shortest(key)))
  const origins = settings.CORS_ORIGINS.filter((origin) => !isSafeOrigin(origin))
  return [
    ...missing.map((key) => `${key}: must be set in production`),
    ...weak.map((key) => `${key}: too short, too uniform or a placeholder (${shortest(key)} characters or more)`),
    ...origins.map((origin) => `CORS_ORIGINS: ${origin} is not an https origin`),
    ...(settings.JWT_SECRET === settings.CSRF_SECRET ? ['CSRF_SECRET: must differ from JWT_SECRET'] : []),
  ]
}

function shortest(key: string): number {
  return (SIGNING as readonly string[]).includes(key) ? SHORTEST.signing : SHORTEST.password
}

function isWeak(secret: string, length: number): boolean {
  return secret.length < length || new Set(secret).size < 8 || PLACEHOLDER.test(secret)
}

function isDsn(text: string): boolean {
  try {
    return Boolean(readDsn(text))
  } catch {
    return false
  }
}

function isSafeOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false
  const url = new URL(origin)
  const isLoopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  return url.origin === origin && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback))
}

function printSettings(): void {
  try {
    const shown = describeSettings(loadSettings(), process.env.VERIFIER_HASH_KEY)
    process.stdout.write(`${JSON.stringify(shown)}\n`)
  } catch (error) {
    process.stderr.write(`settings: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}

if (require.main === module && process.argv.includes('--print')) printSettings()
