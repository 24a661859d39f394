import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DEVELOPMENT, readRelease } from '../../src/release'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'o4o-release-'))
})

afterEach(() => rmSync(folder, { recursive: true }))

it('is "dev" where there is no release.json', () => {
  expect(readRelease(folder)).toEqual(DEVELOPMENT)
})

it('is what release.json says', () => {
  const written = { release: '3-crash', schema: 2, defect: 'crash' }
  writeFileSync(join(folder, 'release.json'), JSON.stringify(written))
  expect(readRelease(folder)).toEqual(written)
})

it.each(['', '{}', '{"release": "1", "schema": 1, "defect": "unheard-of"}'])('refuses %j', (text) => {
  writeFileSync(join(folder, 'release.json'), text)
  expect(() => readRelease(folder)).toThrow()
})
