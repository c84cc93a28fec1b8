// The table that records go to, as its catalog describes it.

import type { PoolClient } from 'pg'
import { ConfigError } from '../../errors.ts'
import type { ColumnForm } from './copy-text.ts'
import { type PostgresSettings, quoted } from './options.ts'

/** What is known of the table. */
export interface TargetTable {
  /** Quoted, with its schema. */
  readonly name: string
  /** The columns that are written, in the order of the options. */
  readonly columns: readonly ColumnForm[]
  /** What rows must fulfil and can be told of a row alone: `ALTER TABLE` clauses. */
  readonly constraints: readonly string[]
}

interface CatalogColumn {
  readonly attnum: number
  readonly name: string
  readonly mandatory: boolean
  readonly computed: boolean
  readonly type: string
  readonly element: string | null
  readonly delimiter: string | null
}

const TABLE = `
SELECT c.oid, n.nspname AS schema, c.relname AS table
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1)`

// A domain stands for the type that it is made of.
const COLUMNS = `
WITH RECURSIVE base (attnum, oid) AS (
  SELECT attnum, atttypid FROM pg_attribute
  WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT base.attnum, t.typbasetype FROM base JOIN pg_type t USING (oid) WHERE t.typtype = 'd'
)
SELECT a.attnum, a.attname AS name, a.attnotnull AS mandatory, t.typname AS type,
  a.attgenerated <> '' OR a.attidentity = 'a' AS computed,
  e.typname AS element, e.typdelim AS delimiter
FROM pg_attribute a
JOIN base USING (attnum)
JOIN pg_type t ON t.oid = base.oid AND t.typtype <> 'd'
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A'
WHERE a.attrelid = $1
ORDER BY a.attnum`

const UNIQUE = `
SELECT 1 FROM pg_index i
WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate
  AND i.indpred IS NULL AND i.indexprs IS NULL
  AND (SELECT array_agg(k ORDER BY k) FROM unnest(
    (string_to_array(i.indkey::text, ' ')::int[])[1:i.indnkeyatts]) k) = $2::int[]
LIMIT 1`

// A trigger may still change a row, so what the row is now says nothing.
const CHECKS = `
SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
WHERE conrelid = $1 AND contype = 'c' AND conkey <@ $2::int2[]`

const TRIGGERS = `
SELECT 1 FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 7 = 7
LIMIT 1`

/** Looks the table up. Rejects with ConfigError where it does not fit the options. */
export async function targetTable<T>(
  client: PoolClient,
  settings: PostgresSettings<T>,
): Promise<TargetTable> {
  const { table, target, key } = settings
  const [found] = (await client.query(TABLE, [target])).rows as TableRow[]
  if (found === undefined) {
    throw new ConfigError(
      `Cannot write to PostgreSQL table ${target}: there is none; create it, or check its name, ` +
        `its schema and the database (upper and lower case count)`,
    )
  }
  const all = (await client.query(COLUMNS, [found.oid])).rows as CatalogColumn[]
  const chosen = settings.columns.map((name) => columnOf(all, name, table))
  if (key !== undefined) await requireUnique(client, found.oid, chosen, settings, key)
  return {
    name: `${quoted(found.schema)}.${quoted(found.table)}`,
    columns: chosen.map(formOf),
    constraints: await constraintsOf(client, found.oid, chosen, key ?? []),
  }
}

interface TableRow {
  readonly oid: number
  readonly schema: string
  readonly table: string
}

function columnOf(all: readonly CatalogColumn[], name: string, table: string): CatalogColumn {
  const column = all.find((one) => one.name === name)
  if (column === undefined) {
    throw new ConfigError(
      `Cannot write to PostgreSQL table "${table}": it has no column "${name}", but ` +
        `${all.map((one) => `"${one.name}"`).join(', ')}`,
    )
  }
  if (!column.computed) return column
  throw new ConfigError(
    `Cannot write to PostgreSQL table "${table}": PostgreSQL itself makes the values of column ` +
      `"${name}"; leave it out of columns`,
  )
}

function formOf({ name, type, element, delimiter }: CatalogColumn): ColumnForm {
  const json = /^jsonb?$/.test(element ?? type)
  return { name, json, delimiter: element === null ? undefined : (delimiter ?? ',') }
}

async function requireUnique<T>(
  client: PoolClient,
  oid: number,
  chosen: readonly CatalogColumn[],
  { table, target }: PostgresSettings<T>,
  key: readonly string[],
): Promise<void> {
  const numbers = chosen.filter(({ name }) => key.includes(name)).map(({ attnum }) => attnum)
  const found = await client.query(UNIQUE, [oid, numbers.sort((a, b) => a - b)])
  if (found.rows.length > 0) return
  const names = key.map(quoted).join(', ')
  throw new ConfigError(
    `Cannot upsert into PostgreSQL table "${table}": no unique index has exactly the columns ` +
      `${names}; run ALTER TABLE ${target} ADD UNIQUE (${names}), or choose another key`,
  )
}

async function constraintsOf(
  client: PoolClient,
  oid: number,
  chosen: readonly CatalogColumn[],
  key: readonly string[],
): Promise<string[]> {
  const mandatory = (name: string) => `ALTER COLUMN ${quoted(name)} SET NOT NULL`
  const triggers = await client.query(TRIGGERS, [oid])
  if (triggers.rows.length > 0) return key.map(mandatory)
  const checks = await client.query(CHECKS, [oid, chosen.map(({ attnum }) => attnum)])
  return [
    ...chosen
      .filter((column) => column.mandatory || key.includes(column.name))
      .map(({ name }) => mandatory(name)),
    ...(checks.rows as { readonly name: string; readonly definition: string }[]).map(
      ({ name, definition }) => `ADD CONSTRAINT ${quoted(name)} ${definition}`,
    ),
  ]
}
