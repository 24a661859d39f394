/**
 * What Prometheus may ask: requests, errors and durations. PM2 sends a scrape to any of the instances, so they add up
 * their numbers in Redis, and each can answer for all.
 */
import type { RequestHandler } from 'express'
import type { Redis } from 'ioredis'

const NUMBERS = 'o4o:metrics'
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]
const FLUSH_EVERY_MS = 1000

export interface Answered {
  method: string
  route: string
  status: number
  seconds: number
}

export interface Metrics {
  note(answered: Answered): void
  send: RequestHandler
}

export function makeMetrics(redis: Redis): Metrics {
  let pending = new Map<string, number>()
  let flushed = Date.now()
  const add = (field: string, by: number) => pending.set(field, (pending.get(field) ?? 0) + by)

  async function flush(): Promise<void> {
    const taken = pending
    pending = new Map()
    flushed = Date.now()
    try {
      await redis.multi([...taken].map(([field, by]) => ['hincrbyfloat', NUMBERS, field, String(by)])).exec()
    } catch (error) {
      for (const [field, by] of taken) add(field, by)
      throw error
    }
  }

  return {
    note(answered) {
      for (const [field, by] of increments(answered)) add(field, by)
      // While Redis is away the numbers wait here; the health check says that it is away.
      if (Date.now() - flushed > FLUSH_EVERY_MS) flush().catch(() => undefined)
    },
    async send(_request, response) {
      if (pending.size > 0) await flush()
      const text = exposition(await redis.hgetall(NUMBERS))
      response.set('Cache-Control', 'no-store').type('text/plain; version=0.0.4; charset=utf-8').send(text)
    },
  }
}

export function increments({ method, route, status, seconds }: Answered): [string, number][] {
  return [
    [`o4o_requests_total{method="${method}",route="${route}",status="${status}"}`, 1],
    ['o4o_request_errors_total', status >= 500 ? 1 : 0],
    ...BOUNDS.map((bound): [string, number] => [bucket(String(bound)), seconds <= bound ? 1 : 0]),
    [bucket('+Inf'), 1],
    ['o4o_request_seconds_sum', seconds],
    ['o4o_request_seconds_count', 1],
  ]
}

/** Prometheus' text format. A counter that nothing has counted yet is 0: its absence would look like a blind monitor. */
export function exposition(numbers: Record<string, string>): string {
  const all: Record<string, string> = { o4o_request_errors_total: '0', ...numbers }
  const named = (start: string) => Object.keys(all).filter((field) => field.startsWith(start)).sort(byBound)
  return [
    ...block('o4o_requests_total', 'counter', 'Requests answered.', named('o4o_requests_total')),
    ...block('o4o_request_errors_total', 'counter', 'Requests answered with 5xx.', ['o4o_request_errors_total']),
    ...block('o4o_request_seconds', 'histogram', 'Time to answer.', named('o4o_request_seconds')),
    '',
  ].join('\n')

  function block(name: string, type: string, help: string, fields: string[]): string[] {
    return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...fields.map((field) => `${field} ${all[field]}`)]
  }
}

function bucket(bound: string): string {
  return `o4o_request_seconds_bucket{le="${bound}"}`
}

// Buckets by their bound, everything else by name.
function byBound(one: string, other: string): number {
  const bound = (field: string) => Number(/le="([\d.]+)"/.exec(field)?.[1] ?? (field.includes('+Inf') ? Infinity : NaN))
  const [a, b] = [bound(one), bound(other)]
  return Number.isNaN(a) || Number.isNaN(b) ? one.localeCompare(other) : a === b ? 0 : a < b ? -1 : 1
}
