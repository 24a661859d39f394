/**
 * `node dist/migrate.js run` applies what this release still needs, `status` only looks. Both print one JSON line;
 * 0 when it could be done, 1 when not. Of several runs at once all but one wait for an advisory lock.
 */
import { type DataSource } from 'typeorm'
import { makeDatabase, readSchema, type SchemaState } from './database'
import { readRelease } from './release'
import { loadSettings } from './settings'

// Any number will do, if everybody takes the same.
const LOCK = 40_041
const LOCK_WAIT = '60s'

/** Returns what it applied, and the state after it. */
export async function migrate(database: DataSource): Promise<SchemaState & { applied: string[] }> {
  const holder = database.createQueryRunner()
  try {
    await holder.query(`SET lock_timeout = '${LOCK_WAIT}'`)
    await holder.query('SET statement_timeout = 0')
    await holder.query('SELECT pg_advisory_lock($1)', [LOCK])
    const before = await readSchema(database)
    await database.runMigrations()
    const after = await readSchema(database)
    return { applied: before.pending.filter((name) => !after.pending.includes(name)), ...after }
  } finally {
    // The session is the lock's owner, so it must end here and not go back into the pool.
    await holder.query('SELECT pg_advisory_unlock_all()').catch(() => undefined)
    await holder.query('RESET ALL').catch(() => undefined)
    await holder.release()
  }
}

async function main(verb: string | undefined): Promise<number> {
  if (verb !== 'run' && verb !== 'status') {
    process.stderr.write('usage: node dist/migrate.js run|status\n')
    return 2
  }
  const release = readRelease()
  const database = makeDatabase(loadSettings(release), release)
  try {
    await database.initialize()
    const state = verb === 'run' ? await migrate(database) : await readSchema(database)
    process.stdout.write(`${JSON.stringify(state)}\n`)
    return 0
  } catch (error) {
    process.stderr.write(`migrate: ${(error as Error).message}\n`)
    return 1
  } finally {
    if (database.isInitialized) await database.destroy()
  }
}

if (require.main === module) {
  main(process.argv[2]).then(
    (code) => {
      process.exitCode = code
    },
    (error: Error) => {
      process.stderr.write(`migrate: ${error.message}\n`)
      process.exitCode = 1
    },
  )
}
