import { expect, it } from 'vitest'
import { exposition, increments, type Answered } from '../../src/metrics'

const count = (...answers: Answered[]) => {
  const numbers: Record<string, string> = {}
  for (const [field, by] of answers.flatMap(increments)) numbers[field] = String(Number(numbers[field] ?? 0) + by)
  return exposition(numbers).split('\n')
}

it('counts requests, errors and durations', () => {
  const lines = count(
    { method: 'GET', route: '/api/items', status: 200, seconds: 0.02 },
    { method: 'GET', route: '/api/items', status: 500, seconds: 7 },
  )
  expect(lines).toEqual(expect.arrayContaining([
    'o4o_requests_total{method="GET",route="/api/items",status="500"} 1',
    'o4o_request_errors_total 1',
    'o4o_request_seconds_bucket{le="0.01"} 0',
    'o4o_request_seconds_bucket{le="0.025"} 1',
    'o4o_request_seconds_bucket{le="+Inf"} 2',
    'o4o_request_seconds_count 2',
  ]))
})

it('lists buckets by their bound', () => {
  const bounds = count({ method: 'GET', route: '/', status: 200, seconds: 0 })
    .flatMap((line) => /le="(.*)"/.exec(line)?.[1] ?? [])
  expect(bounds).toEqual(['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'])
})

it('says 0 errors before there was any request', () => {
  expect(exposition({})).toContain('\no4o_request_errors_total 0\n')
})
