/** One running instance: connects, listens, and can be closed without losing a request. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Redis } from 'ioredis'
import type { DataSource } from 'typeorm'
import { makeApp } from './app'
import { makeDatabase } from './database'
import type { Log } from './log'
import type { Release } from './release'
import type { Settings } from './settings'

const ATTEMPTS = 10
const PAUSE_MS = 1000

export interface Instance {
  port: number
  /** Lets running requests finish. */
  close(): Promise<void>
}

/** Waits a while for database and Redis, which after a reboot may come up later than we do; then gives up. */
export async function start(settings: Settings, release: Release, log: Log): Promise<Instance> {
  const database = makeDatabase(settings, release)
  const redis = makeRedis(settings, log)
  try {
    await insist(() => database.initialize(), log)
    await insist(() => redis.connect(), log)
    const server = createServer(makeApp({ settings, release, database, redis, log }))
    await listen(server, settings.PORT)
    return {
      port: (server.address() as AddressInfo).port,
      close: () => close(server, database, redis),
    }
  } catch (error) {
    redis.disconnect()
    if (database.isInitialized) await database.destroy()
    throw error
  }
}

// Without an offline queue a command fails at once while Redis is away, and the health check can say so.
function makeRedis(settings: Settings, log: Log): Redis {
  const redis = new Redis({
    host: settings.REDIS_HOST,
    port: settings.REDIS_PORT,
    password: settings.REDIS_PASSWORD || undefined,
    connectionName: 'o4o',
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 5000,
    commandTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 200, 5000),
  })
  redis.on('error', (error) => log.warn('redis is away', { error }))
  return redis
}

async function insist(connect: () => Promise<unknown>, log: Log): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connect()
      return
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      log.warn('cannot connect yet', { attempt, error })
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, resolve)
  })
}

async function close(server: Server, database: DataSource, redis: Redis): Promise<void> {
  await new Promise((resolve) => server.close(resolve))
  await Promise.allSettled([database.destroy(), redis.quit()])
}
