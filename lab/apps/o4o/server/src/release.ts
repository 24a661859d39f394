/** Which release this is: `release.json` beside `dist`, written when the artifact is made. */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'

export const RELEASE_DIR = resolve(__dirname, '..')

const shape = z.strictObject({
  release: z.string().min(1),
  schema: z.int().min(1),
  defect: z.enum([
    '', 'crash', 'unhealthy', 'nohelmet', 'nocsrf', 'noratelimit', 'leak', 'settings', 'migration',
    'sql', 'xss',
  ]),
  /** The digest of the sources it was built from. */
  revision: z.string().optional(),
})

export type Release = Readonly<z.infer<typeof shape>>
export type Defect = Release['defect']

/** A source tree has no release.json: there it is release "dev" with every migration. */
export const DEVELOPMENT: Release = { release: 'dev', schema: 2, defect: '' }

/** Throws when the file is broken: a release that does not know its name must not start. */
export function readRelease(directory: string = RELEASE_DIR): Release {
  let text: string
  try {
    text = readFileSync(join(directory, 'release.json'), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return DEVELOPMENT
    throw error
  }
  return Object.freeze(shape.parse(JSON.parse(text)))
}
