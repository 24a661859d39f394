/**
 * Sends what went wrong, and how long a sample of requests took, to trackers that speak Sentry's envelope protocol. A
 * tracker that is away costs a line in the log and never a request.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { readDsn } from './dsn'
import type { Log } from './log'
import { makeRedact } from './redact'
import type { Release } from './release'
import type { Settings } from './settings'

const SAMPLE = 0.1
const PATIENCE_MS = 3000
/** More would pile up behind a slow tracker; what comes on top is dropped. */
const MOST_AT_ONCE = 10

export interface Timing {
  name: string
  status: number
  startedMs: number
  endedMs: number
}

export interface Tracker {
  error(error: unknown, name: string): void
  timing(timing: Timing): void
}

export function makeTracker(settings: Settings, release: Release, log: Log): Tracker {
  const redact = makeRedact(settings)
  const context = {
    platform: 'node',
    release: release.release,
    environment: settings.NODE_ENV,
    tags: { instance: process.env.NODE_APP_INSTANCE ?? '0' },
  }
  const sendError = makeSender(settings.ERROR_TRACKING_DSN, log)
  const sendTiming = makeSender(settings.APM_DSN, log)
  return {
    error: (error, name) => sendError('event', redact({ ...context, ...describeError(error, name) }) as object),
    timing: (timing) => {
      if (Math.random() < SAMPLE) sendTiming('transaction', { ...context, ...describeTiming(timing) })
    },
  }
}

export function envelope(id: string, type: string, event: object): string {
  return [{ event_id: id }, { type }, { event_id: id, ...event }].map((part) => JSON.stringify(part)).join('\n')
}

/** Without a DSN, as in development and in tests, nothing is sent. */
function makeSender(dsn: string, log: Log): (type: string, event: object) => void {
  if (!dsn) return () => undefined
  const { url, key } = readDsn(dsn)
  const headers = {
    'Content-Type': 'application/x-sentry-envelope',
    'X-Sentry-Auth': `Sentry sentry_version=7, sentry_client=o4o/1, sentry_key=${key}`,
  }
  let underWay = 0
  return (type, event) => {
    if (underWay >= MOST_AT_ONCE) return
    underWay += 1
    const body = envelope(randomUUID().replaceAll('-', ''), type, event)
    fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(PATIENCE_MS) })
      .then(async (answer) => {
        await answer.arrayBuffer()
        if (!answer.ok) log.warn('tracker refuses', { type, status: answer.status })
      })
      .catch((error) => log.warn('tracker is away', { type, error }))
      .finally(() => {
        underWay -= 1
      })
  }
}

function describeError(error: unknown, name: string): object {
  const seen = error instanceof Error ? error : new Error(String(error))
  return {
    timestamp: Date.now() / 1000,
    level: 'error',
    transaction: name,
    exception: { values: [{ type: seen.name, value: seen.message }] },
    extra: { stack: seen.stack },
  }
}

function describeTiming({ name, status, startedMs, endedMs }: Timing): object {
  return {
    type: 'transaction',
    transaction: name,
    start_timestamp: startedMs / 1000,
    timestamp: endedMs / 1000,
    contexts: {
      trace: {
        trace_id: randomBytes(16).toString('hex'), span_id: randomBytes(8).toString('hex'),
        op: 'http.server', status: status < 500 ? 'ok' : 'internal_error',
      },
    },
  }
}
