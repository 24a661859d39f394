/** `node dist/routes.js` prints what the application really serves, to be held against openapi.json. */
import { Redis } from 'ioredis'
import { createLogger } from 'winston'
import { makeApp, servedRoutes, type Route } from './app'
import { makeDatabase } from './database'
import { readRelease, type Release } from './release'
import { parseSettings } from './settings'

/** Connects to nothing; the rate limit, which is no route, would at once load its script into Redis. */
export function listRoutes(release: Release): Route[] {
  const unlimited: Release = { ...release, defect: 'noratelimit' }
  const settings = parseSettings({ NODE_ENV: 'development' })
  const redis = new Redis({ lazyConnect: true })
  const log = createLogger({ silent: true })
  return servedRoutes(makeApp({ settings, release: unlimited, database: makeDatabase(settings, release), redis, log }))
}

if (require.main === module) {
  process.stdout.write(`${JSON.stringify(listRoutes(readRelease()))}\n`)
}
