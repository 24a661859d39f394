/** What stands before the API: headers, allowed origins, the rate limit and the CSRF token. */
import { randomUUID } from 'node:crypto'
import cors from 'cors'
import { doubleCsrf } from 'csrf-csrf'
import type { CookieOptions, RequestHandler } from 'express'
import { rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import type { Redis } from 'ioredis'
import { RedisStore } from 'rate-limit-redis'
import { hasCsrf, hasHelmet, hasRateLimit } from './defects'
import { sendProblem } from './problem'
import type { Release } from './release'
import type { Settings } from './settings'

export interface Guards {
  headers: RequestHandler[]
  origins: RequestHandler
  limit: RequestHandler[]
  /** Refuses a changing request without the token. */
  csrf: RequestHandler[]
  sendCsrfToken: RequestHandler
}

export function makeGuards(settings: Settings, release: Release, redis: Redis): Guards {
  const { protect, sendCsrfToken } = makeCsrf(settings)
  return {
    headers: hasHelmet(release) ? [helmet()] : [],
    origins: cors({ origin: [...settings.CORS_ORIGINS], credentials: true }),
    limit: hasRateLimit(release) ? [makeLimit(settings, redis)] : [],
    csrf: hasCsrf(release) ? [protect] : [],
    sendCsrfToken,
  }
}

// Counted in Redis: a count in memory would give a client the limit once per instance.
function makeLimit(settings: Settings, redis: Redis): RequestHandler {
  return rateLimit({
    windowMs: settings.RATE_LIMIT_WINDOW_MS,
    limit: settings.RATE_LIMIT_MAX,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    store: new RedisStore({
      prefix: 'o4o:rate-limit:',
      sendCommand: (command, ...rest) => redis.call(command, ...rest) as Promise<string>,
    }),
    handler: (_request, response) => sendProblem(response, 'rate_limited'),
  })
}

function makeCsrf(settings: Settings): { protect: RequestHandler; sendCsrfToken: RequestHandler } {
  const isProduction = settings.NODE_ENV === 'production'
  // A browser takes a __Host- cookie only when it is Secure, for this host alone and for every path.
  const prefix = isProduction ? '__Host-' : ''
  const options: CookieOptions = { httpOnly: true, sameSite: 'strict', secure: isProduction, path: '/' }
  const session = `${prefix}o4o.session`
  const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
    getSecret: () => settings.CSRF_SECRET,
    getSessionIdentifier: (request) => request.cookies[session] ?? '',
    cookieName: `${prefix}o4o.csrf`,
    cookieOptions: options,
  })
  const sendCsrfToken: RequestHandler = (request, response) => {
    if (!request.cookies[session]) {
      request.cookies[session] = randomUUID()
      response.cookie(session, request.cookies[session], options)
    }
    response.set('Cache-Control', 'no-store').json({ token: generateCsrfToken(request, response) })
  }
  return { protect: doubleCsrfProtection, sendCsrfToken }
}
