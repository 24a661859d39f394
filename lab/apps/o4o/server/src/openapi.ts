/** The API's description (OpenAPI 3.1) and the page that shows it. A unit test holds it against the routes served. */
import { PROBLEMS, type Code } from './problem'
import type { Release } from './release'

type Json = Record<string, unknown>

interface Operation extends Json {
  summary: string
  responses: Record<string, Json>
}

export interface Description {
  openapi: string
  info: Json
  paths: Record<string, Record<string, Operation>>
  components: Json
}

export function describeApi(release: Release): Description {
  return {
    openapi: '3.1.0',
    info: { title: 'O4O', version: release.release, description: errorTable() },
    paths: {
      '/health': { get: healthOperation(release) },
      '/metrics': { get: operation('Numbers for Prometheus.', { 200: plain('text/plain', 'o4o_request_errors_total 0') }) },
      '/api/csrf-token': {
        get: operation('A CSRF token; send it back as x-csrf-token, with the cookies.', {
          200: json('Token', { token: '5f0c…' }), ...problems('rate_limited', 'internal'),
        }),
      },
      '/api/items': {
        get: {
          ...operation('The newest items.', {
            200: json('ItemList', { items: [exampleItem(release)] }),
            ...problems('invalid_request', 'rate_limited', 'internal'),
          }),
          parameters: [
            { name: 'q', in: 'query', schema: { type: 'string', maxLength: 100 }, example: '첫' },
            { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 }, example: 20 },
          ],
        },
        post: {
          ...operation('Adds an item.', {
            201: json('Item', exampleItem(release)),
            ...problems('invalid_request', 'csrf_invalid', 'rate_limited', 'internal'),
          }),
          security: [{ csrfToken: [], csrfCookie: [] }],
          requestBody: body('NewItem', { title: '첫 항목', ...(release.schema >= 2 ? { note: '' } : {}) }),
        },
      },
      '/api/login': {
        post: {
          ...operation('A bearer token for the demonstration account.', {
            200: json('Login', { token: 'eyJ…', expires_in: 3600 }),
            ...problems('invalid_request', 'unauthorized', 'csrf_invalid', 'rate_limited', 'internal'),
          }),
          security: [{ csrfToken: [], csrfCookie: [] }],
          requestBody: body('Credentials', { name: 'demo', password: '…' }),
        },
      },
      '/api/whoami': {
        get: {
          ...operation('Whose token this is.', {
            200: json('Account', { name: 'demo' }),
            ...problems('unauthorized', 'rate_limited', 'internal'),
          }),
          security: [{ bearer: [] }],
        },
      },
      '/openapi.json': { get: operation('This description.', { 200: plain('application/json', '{"openapi": "3.1.0"}') }) },
      '/docs': { get: operation('This description as a page.', { 200: page() }) },
      '/': { get: operation('The web application.', { 200: page() }) },
      '/about': { get: operation('The web application, second view.', { 200: page() }) },
      '/assets/{file}': {
        get: {
          ...operation('A built file; its name changes with its content.', {
            200: plain('text/javascript', 'export {}'), ...problems('not_found'),
          }),
          parameters: [{ name: 'file', in: 'path', required: true, schema: { type: 'string' }, example: 'index-abc.js' }],
        },
      },
    },
    components: { securitySchemes: securitySchemes(), schemas: schemas(release) },
  }
}

/** One page without a script, so that the default content security policy is enough for it. */
export function renderDocs(description: Description): string {
  const rows = Object.entries(description.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary, responses }]) => {
      const cells = [`<code>${method.toUpperCase()} ${path}</code>`, summary, Object.keys(responses).join(' ')]
      return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
    }),
  )
  const errors = Object.entries(PROBLEMS).map(
    ([code, { status, message }]) => `<tr><td><code>${code}</code></td><td>${status}</td><td>${message}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>O4O API</title></head><body>
<h1>O4O API</h1><p>Release ${escapeHtml(String(description.info.version))}; <a href="/openapi.json">openapi.json</a></p>
<table>${rows.join('\n')}</table>
<h2>Errors</h2><table>${errors.join('\n')}</table>
</body></html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function errorTable(): string {
  const rows = Object.entries(PROBLEMS).map(([code, { status, message }]) => `| ${code} | ${status} | ${message} |`)
  return ['| error code | status | meaning |', '|---|---|---|', ...rows].join('\n')
}

function operation(summary: string, responses: Record<string, Json>): Operation {
  return { summary, responses }
}

function reference(schema: string): Json {
  return { $ref: `#/components/schemas/${schema}` }
}

function json(schema: string, example: Json): Json {
  return {
    description: schema,
    content: { 'application/json': { schema: reference(schema), example } },
  }
}

function plain(type: string, example: string): Json {
  return { description: type, content: { [type]: { schema: { type: 'string' }, example } } }
}

function page(): Json {
  return plain('text/html', '<!doctype html>')
}

function body(schema: string, example: Json): Json {
  return { required: true, content: { 'application/json': { schema: reference(schema), example } } }
}

function problems(...codes: Code[]): Record<string, Json> {
  return Object.fromEntries(
    codes.map((code) => [
      PROBLEMS[code].status,
      { ...json('Problem', { error: { code, message: PROBLEMS[code].message } }), description: code },
    ]),
  )
}

function healthOperation(release: Release): Operation {
  const checks = { database: 'ok', redis: 'ok', schema: 'ok' }
  return operation('Whether this instance can work.', {
    200: json('Health', { status: 'ok', release: release.release, checks }),
    503: json('Health', { status: 'degraded', release: release.release, checks: { ...checks, redis: 'fail' } }),
  })
}

function exampleItem(release: Release): Json {
  const item = { id: '1', title: '첫 항목', created_at: '2026-01-01T00:00:00.000Z' }
  return release.schema >= 2 ? { ...item, note: '' } : item
}

function securitySchemes(): Json {
  return {
    bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From POST /api/login.' },
    csrfToken: { type: 'apiKey', in: 'header', name: 'x-csrf-token', description: 'From GET /api/csrf-token.' },
    csrfCookie: { type: 'apiKey', in: 'cookie', name: '__Host-o4o.csrf', description: 'Set by GET /api/csrf-token.' },
  }
}

function schemas(release: Release): Json {
  const text = { type: 'string' }
  const check = { enum: ['ok', 'fail'] }
  const note = release.schema >= 2 ? { note: { type: 'string', maxLength: 1000 } } : {}
  const title = { type: 'string', minLength: 1, maxLength: 200 }
  return {
    Health: object({
      status: { enum: ['ok', 'degraded'] },
      release: text,
      checks: object({ database: check, redis: check, schema: check }),
    }),
    Token: object({ token: text }),
    Login: object({ token: text, expires_in: { type: 'integer' } }),
    Account: object({ name: text }),
    Credentials: object({ name: text, password: text }),
    Item: object({ id: text, title, created_at: { type: 'string', format: 'date-time' }, ...note }),
    NewItem: { ...object({ title, ...note }), required: ['title'] },
    ItemList: object({ items: { type: 'array', items: reference('Item') } }),
    Problem: object({ error: object({ code: { enum: Object.keys(PROBLEMS) }, message: text }) }),
  }
}

function object(properties: Json): Json {
  return { type: 'object', properties, required: Object.keys(properties) }
}
