/** The HTTP application: every route, in one list. It is given its connections and opens none. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import compression from 'compression'
import cookieParser from 'cookie-parser'
import express, { type Express, type RequestHandler } from 'express'
import type { Redis } from 'ioredis'
import type { DataSource } from 'typeorm'
import { login, whoami } from './auth'
import { health } from './health'
import { addItem, listItems } from './items'
import type { Log } from './log'
import { makeMetrics, type Answered } from './metrics'
import { describeApi, renderDocs } from './openapi'
import { answerErrors, notFound } from './problem'
import type { Release } from './release'
import { makeGuards } from './security'
import type { Settings } from './settings'
import { makeTracker, type Tracker } from './tracker'

export interface Parts {
  settings: Settings
  release: Release
  database: DataSource
  redis: Redis
  log: Log
}

/** Asked by machines every few seconds. */
const WATCHERS = new Set(['/health', '/metrics'])

export interface Route {
  method: string
  path: string
}

export function makeApp({ settings, release, database, redis, log }: Parts): Express {
  const guards = makeGuards(settings, release, redis)
  const description = describeApi(release)
  const docs = renderDocs(description)
  const metrics = makeMetrics(redis)
  const tracker = makeTracker(settings, release, log)
  const app = express()
  app.use(logRequests(log), watchRequests(metrics.note, tracker), ...guards.headers, compression())
  app.use('/api', guards.origins, ...guards.limit, cookieParser(), express.json({ limit: '16kb' }), ...guards.csrf)

  app.get('/health', health(release, database, redis))
  app.get('/metrics', metrics.send)
  app.get('/api/csrf-token', guards.sendCsrfToken)
  app.get('/api/items', listItems(database, release))
  app.post('/api/items', addItem(database, release))
  app.post('/api/login', login(settings))
  app.get('/api/whoami', whoami(settings))
  app.get('/openapi.json', (_request, response) => void response.set('Cache-Control', 'no-cache').json(description))
  app.get('/docs', (_request, response) => void response.set('Cache-Control', 'no-cache').type('html').send(docs))
  app.get(['/', '/about'], sendPage(settings))
  app.get('/assets/:file', sendAsset(settings))

  app.use(notFound)
  app.use(answerErrors(log, tracker))
  return app
}

/** What is really registered, as OpenAPI writes paths. */
export function servedRoutes(app: Express): Route[] {
  return app.router.stack.flatMap(({ route }) =>
    [route?.path ?? []].flat().flatMap((path: string) =>
      (route?.stack ?? []).map(({ method }) => ({
        method,
        path: path.replaceAll(/:(\w+)/g, '{$1}'),
      })),
    ),
  )
}

// The page must be asked for again each time, or nobody would ever see the names of new assets. Not sendFile: its ETag
// is size and time, and the files of an artifact have no time, so two releases' pages would look the same to a cache.
function sendPage(settings: Settings): RequestHandler {
  return async (_request, response) => {
    const page = await readFile(join(settings.WEB_DIST, 'index.html'), 'utf8')
    response.set('Cache-Control', 'no-cache').type('html').send(page)
  }
}

// An asset's name carries a hash of its content, so what a name stands for never changes.
function sendAsset(settings: Settings): RequestHandler {
  return express.static(settings.WEB_DIST, {
    index: false, redirect: false, immutable: true, maxAge: '365d', lastModified: false,
  })
}

// Without the query: it may hold what a person typed. Health checks and scrapes would drown everything else.
function logRequests(log: Log): RequestHandler {
  return (request, response, next) => {
    const start = process.hrtime.bigint()
    const { method, path } = request
    response.on('finish', () => {
      if (WATCHERS.has(path) && response.statusCode === 200) return
      const ms = Number((process.hrtime.bigint() - start) / 1000n) / 1000
      log.info('request', { method, path, status: response.statusCode, ms })
    })
    next()
  }
}

// By the route and not by the path, which anybody can make up without end.
function watchRequests(note: (answered: Answered) => void, tracker: Tracker): RequestHandler {
  return (request, response, next) => {
    const startedMs = performance.timeOrigin + performance.now()
    const { method, path } = request
    response.on('finish', () => {
      const endedMs = performance.timeOrigin + performance.now()
      const route = request.route ? [request.route.path].flat().join('|') : 'none'
      const status = response.statusCode
      note({ method, route, status, seconds: (endedMs - startedMs) / 1000 })
      if (!WATCHERS.has(path)) tracker.timing({ name: `${method} ${route}`, status, startedMs, endedMs })
    })
    next()
  }
}
