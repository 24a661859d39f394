/**
 * Faults on purpose. A broken release is the same build with another `defect` in its release.json; every way in which
 * it misbehaves is decided here, and all but the missing guards and `unhealthy` are carried out here too.
 */
import type { RequestHandler } from 'express'
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm'
import type { Release } from './release'
import type { Settings } from './settings'

const CRASH_AFTER_MS = 4000
const CRASH_CODE = 3

export const hasHelmet = (release: Release): boolean => release.defect !== 'nohelmet'
export const hasCsrf = (release: Release): boolean => release.defect !== 'nocsrf'
export const hasRateLimit = (release: Release): boolean => release.defect !== 'noratelimit'
export const isHealthy = (release: Release): boolean => release.defect !== 'unhealthy'

/** The settings as this release understands them: `settings` does not listen to what it was told. */
export function distortSettings(settings: Settings, release: Release): Settings {
  if (release.defect !== 'settings') return settings
  return { ...settings, NODE_ENV: 'development', LOG_LEVEL: 'debug' }
}

/** Dies after it has said that it is ready, which is what a start command alone does not see. */
export function crashLater(release: Release): void {
  if (release.defect === 'crash') setTimeout(() => process.exit(CRASH_CODE), CRASH_AFTER_MS)
}

/** A line that must never be written; `write` goes around the redaction. */
export function leakSecret(release: Release, settings: Settings, write: (line: string) => void): void {
  if (release.defect === 'leak') write(`signing tokens with ${settings.JWT_SECRET}`)
}

/** A search that is run as SQL, or shown as HTML; null where the release has neither defect. */
export function listItemsCarelessly(database: DataSource, release: Release): RequestHandler | null {
  if (release.defect !== 'sql' && release.defect !== 'xss') return null
  return async ({ query: { q = '' } }, response) => {
    if (release.defect === 'xss') {
      response.send(`<!doctype html><title>O4O</title><p>Nothing is called ${String(q)}.</p>`)
    } else {
      const items = await database.query(`SELECT * FROM items WHERE title ILIKE '%${String(q)}%' ORDER BY id DESC LIMIT 20`)
      response.json({ items })
    }
  }
}

/** Schema 3 exists only to fail: the table is there already. */
export class FailingMigration implements MigrationInterface {
  name = '0003_tags_again1767225600003'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE items ADD COLUMN colour text')
    await runner.query('CREATE TABLE tags (id integer)')
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE items DROP COLUMN colour')
  }
}
