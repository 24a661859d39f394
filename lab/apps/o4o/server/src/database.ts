/** The database as one release sees it: which tables, which columns, which migrations. */
import { DataSource, EntitySchema, type MigrationInterface } from 'typeorm'
import { FailingMigration } from './defects'
import { Items } from './migrations/0001-items'
import { Tags } from './migrations/0002-tags'
import type { Release } from './release'
import type { Settings } from './settings'

const CONNECT_MS = 5000
const STATEMENT_MS = 10_000
const ALL_MIGRATIONS: readonly (new () => MigrationInterface)[] = [Items, Tags, FailingMigration]

export interface Item {
  id: string
  title: string
  created_at: Date
  /** From schema 2 on. */
  note?: string
}

export interface SchemaState {
  current: string | null
  head: string
  pending: string[]
}

export const itemTable = 'items'

/** Not connected yet. The pool belongs to one process: with two instances the server sees twice DB_POOL_SIZE. */
export function makeDatabase(settings: Settings, release: Release): DataSource {
  return new DataSource({
    type: 'postgres',
    host: settings.DB_HOST,
    port: settings.DB_PORT,
    database: settings.DB_NAME,
    username: settings.DB_USER,
    password: settings.DB_PASSWORD,
    poolSize: settings.DB_POOL_SIZE,
    connectTimeoutMS: CONNECT_MS,
    applicationName: 'o4o',
    extra: { statement_timeout: STATEMENT_MS },
    entities: [itemEntity(release.schema)],
    migrations: ALL_MIGRATIONS.slice(0, release.schema) as (new () => MigrationInterface)[],
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
  })
}

/** Reads only: a health check must not create the migrations table. `0001` and `0002`, not the long names. */
export async function readSchema(database: DataSource): Promise<SchemaState> {
  const known = database.migrations.map((migration) => migration.name ?? '')
  const applied = new Set(await appliedMigrations(database))
  const short = (name: string) => name.slice(0, 4)
  const last = [...applied].sort().at(-1)
  return {
    current: last === undefined ? null : short(last),
    head: short(known.at(-1) ?? ''),
    pending: known.filter((name) => !applied.has(name)).map(short),
  }
}

async function appliedMigrations(database: DataSource): Promise<string[]> {
  const [found] = await database.query(`SELECT to_regclass('migrations') IS NOT NULL AS there`)
  if (!found.there) return []
  const rows: { name: string }[] = await database.query('SELECT name FROM migrations')
  return rows.map((row) => row.name)
}

function itemEntity(schema: number): EntitySchema<Item> {
  return new EntitySchema<Item>({
    name: itemTable,
    columns: {
      id: { type: 'bigint', primary: true, generated: 'increment' },
      title: { type: 'text' },
      created_at: { type: 'timestamptz', createDate: true },
      ...(schema >= 2 ? { note: { type: 'text', default: '' } } : {}),
    },
  })
}
