/** Takes the known secrets, and whatever is named like one, out of anything before it is logged. */
import { SECRETS, type Settings } from './settings'

export const REDACTED = '[redacted]'
const SECRET_NAME = /password|secret|token|authorization|cookie/i

export type Redact = (value: unknown) => unknown

export function makeRedact(settings: Settings): Redact {
  const secrets = SECRETS.map((key) => settings[key]).filter(Boolean)
  const clean = (text: string) => secrets.reduce((left, secret) => left.replaceAll(secret, REDACTED), text)
  const redact: Redact = (value) => {
    if (typeof value === 'string') return clean(value)
    if (value instanceof Error) return { message: clean(value.message), stack: clean(value.stack ?? '') }
    if (Array.isArray(value)) return value.map(redact)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [key, SECRET_NAME.test(key) ? REDACTED : redact(inner)]),
    )
  }
  return redact
}
