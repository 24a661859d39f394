/** Every error a client can get: one JSON shape, one list of codes. */
import type { ErrorRequestHandler, RequestHandler, Response } from 'express'
import type { Log } from './log'
import type { Tracker } from './tracker'

export const PROBLEMS = {
  invalid_request: { status: 400, message: 'The request is not what the API documents.' },
  unauthorized: { status: 401, message: 'A valid bearer token, or the right password, is needed.' },
  csrf_invalid: { status: 403, message: 'The CSRF token is missing or wrong; get one from /api/csrf-token.' },
  not_found: { status: 404, message: 'There is nothing here.' },
  rate_limited: { status: 429, message: 'Too many requests; wait for the time in Retry-After.' },
  internal: { status: 500, message: 'Something went wrong on our side.' },
} as const

export type Code = keyof typeof PROBLEMS

export function sendProblem(response: Response, code: Code): void {
  const { status, message } = PROBLEMS[code]
  response.status(status).json({ error: { code, message } })
}

export const notFound: RequestHandler = (_request, response) => sendProblem(response, 'not_found')

/** What a client did wrong is answered, what we did wrong is logged and tracked; nobody is shown a stack. */
export function answerErrors(log: Log, tracker: Tracker): ErrorRequestHandler {
  return (error, request, response, next) => {
    if (response.headersSent) return next(error)
    const status = Number(error?.status ?? 500)
    if (error?.code === 'EBADCSRFTOKEN') return sendProblem(response, 'csrf_invalid')
    if (status === 404) return sendProblem(response, 'not_found')
    if (status >= 400 && status < 500) return sendProblem(response, 'invalid_request')
    const path = request.originalUrl.split('?')[0]
    log.error('request failed', { method: request.method, path, error })
    tracker.error(error, `${request.method} ${path}`)
    return sendProblem(response, 'internal')
  }
}
