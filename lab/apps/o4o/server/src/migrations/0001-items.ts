import type { MigrationInterface, QueryRunner } from 'typeorm'

export class Items implements MigrationInterface {
  // TypeORM orders migrations by the thirteen digits at the end; the four at the beginning are for people.
  name = '0001_items1767225600001'

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE items (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        title text NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
        created_at timestamptz NOT NULL DEFAULT now()
      )`)
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE items')
  }
}
