/** Tokens: one demonstration account, signed JSON web tokens, a bearer guard. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestHandler } from 'express'
import { sign, verify } from 'jsonwebtoken'
import { z } from 'zod'
import { sendProblem } from './problem'
import type { Settings } from './settings'

const ACCOUNT = 'demo'
const ALGORITHM = 'HS256'
const ISSUER = 'o4o'
const LIFETIME_SECONDS = 3600

const credentials = z.strictObject({ name: z.string().max(100), password: z.string().max(200) })

/** Without a DEMO_PASSWORD nobody gets in. */
export function login(settings: Settings): RequestHandler {
  return (request, response) => {
    const given = credentials.safeParse(request.body)
    if (!given.success) return sendProblem(response, 'invalid_request')
    const { name, password } = given.data
    const isRight = settings.DEMO_PASSWORD !== '' && isSame(password, settings.DEMO_PASSWORD)
    if (name !== ACCOUNT || !isRight) return sendProblem(response, 'unauthorized')
    const token = sign({}, settings.JWT_SECRET, {
      algorithm: ALGORITHM, issuer: ISSUER, subject: ACCOUNT, expiresIn: LIFETIME_SECONDS,
    })
    response.set('Cache-Control', 'no-store').json({ token, expires_in: LIFETIME_SECONDS })
  }
}

export function whoami(settings: Settings): RequestHandler {
  return (request, response) => {
    const token = /^Bearer (\S+)$/i.exec(request.get('authorization') ?? '')?.[1]
    const name = token === undefined ? undefined : subjectOf(token, settings)
    if (name === undefined) return sendProblem(response.set('WWW-Authenticate', 'Bearer'), 'unauthorized')
    response.set('Cache-Control', 'no-store').json({ name })
  }
}

function subjectOf(token: string, settings: Settings): string | undefined {
  try {
    const claims = verify(token, settings.JWT_SECRET, { algorithms: [ALGORITHM], issuer: ISSUER })
    return typeof claims === 'string' ? undefined : claims.sub
  } catch {
    return undefined
  }
}

// Hashed first, because timingSafeEqual wants two values of one length.
function isSame(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(left), digest(right))
}
