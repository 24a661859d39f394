import type { MigrationInterface, QueryRunner } from 'typeorm'

/** Only adds, so that release 1 keeps working on a database that release 2 has migrated. */
export class Tags implements MigrationInterface {
  name = '0002_tags1767225600002'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE items ADD COLUMN note text NOT NULL DEFAULT ''`)
    await runner.query('CREATE INDEX idx_items_created_at ON items (created_at)')
    await runner.query(`
      CREATE TABLE tags (
        item_id bigint NOT NULL REFERENCES items (id) ON DELETE CASCADE,
        name text NOT NULL,
        PRIMARY KEY (item_id, name)
      )`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE tags')
    await runner.query('DROP INDEX idx_items_created_at')
    await runner.query('ALTER TABLE items DROP COLUMN note')
  }
}
