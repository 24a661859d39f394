/** Whether this instance can do its work: database, Redis, and a schema this release can live with. */
import type { RequestHandler } from 'express'
import type { Redis } from 'ioredis'
import type { DataSource } from 'typeorm'
import { readSchema } from './database'
import { isHealthy } from './defects'
import type { Release } from './release'

const PATIENCE_MS = 2000

export type Check = 'ok' | 'fail'

export function health(release: Release, database: DataSource, redis: Redis): RequestHandler {
  return async (_request, response) => {
    const [reached, answered, migrated] = await Promise.all([
      check(async () => (await database.query('SELECT 1')).length === 1),
      check(async () => (await redis.ping()) === 'PONG'),
      check(async () => (await readSchema(database)).pending.length === 0),
    ])
    const checks = { database: reached, redis: answered, schema: migrated }
    const isWell = isHealthy(release) && Object.values(checks).every((one) => one === 'ok')
    response
      .status(isWell ? 200 : 503)
      .set('Cache-Control', 'no-store')
      .json({ status: isWell ? 'ok' : 'degraded', release: release.release, checks })
  }
}

async function check(look: () => Promise<boolean>): Promise<Check> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), PATIENCE_MS)
  })
  try {
    return (await Promise.race([look(), tooLate])) ? 'ok' : 'fail'
  } catch {
    return 'fail'
  } finally {
    clearTimeout(timer)
  }
}
