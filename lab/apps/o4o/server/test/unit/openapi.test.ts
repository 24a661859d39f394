import { describe, expect, it } from 'vitest'
import { describeApi, renderDocs } from '../../src/openapi'
import { DEVELOPMENT } from '../../src/release'
import { listRoutes } from '../../src/routes'

const description = describeApi(DEVELOPMENT)
const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
)

it('describes every served route, and no other', () => {
  const served = listRoutes(DEVELOPMENT).map(({ method, path }) => `${method} ${path}`)
  expect(served.length).toBeGreaterThan(0)
  expect(operations.map(({ name }) => name).sort()).toEqual(served.sort())
})

describe.each(operations)('$name', ({ operation }) => {
  it('has an example in every answer', () => {
    const contents = Object.values(operation.responses).flatMap((answer) => Object.values(answer.content as object))
    expect(contents.length).toBeGreaterThan(0)
    for (const content of contents) expect(content).toHaveProperty('example')
  })
})

it('refers only to schemas and security schemes that exist', () => {
  const text = JSON.stringify(description)
  const { schemas, securitySchemes } = description.components as Record<string, object>
  for (const [, name] of text.matchAll(/#\/components\/schemas\/(\w+)/g)) expect(schemas).toHaveProperty(name as string)
  for (const { operation } of operations) {
    const wanted = (operation.security ?? []) as object[]
    for (const name of wanted.flatMap(Object.keys)) expect(securitySchemes).toHaveProperty(name)
  }
})

it('has no note before schema 2', () => {
  expect(JSON.stringify(describeApi({ ...DEVELOPMENT, schema: 1 }))).not.toContain('note')
})

it('becomes a page that escapes what it shows', () => {
  expect(renderDocs(describeApi({ ...DEVELOPMENT, release: '<b>' }))).not.toContain('<b>')
})
