// The staging table of a run, and what moves its rows on.

import type { PoolClient } from 'pg'
import type { ColumnForm } from './copy-text.ts'
import { OWN_COLUMNS, quoted } from './options.ts'
import type { TargetTable } from './target-table.ts'

/** What tasks need to know of the run. */
export interface StageTicket {
  /** The staging table, quoted. */
  readonly stage: string
  readonly columns: readonly ColumnForm[]
}

/** What the receipt of a task tells beside its counts: which of its tries was the good one. */
export interface StagedDetail {
  readonly tried: number
}

/** The columns of a staging table that come before those of the table. */
export const STAGE_COLUMNS = ['batch', 'attempt', 'partition', 'try', 'row'].map((name) =>
  quoted(`${OWN_COLUMNS}${name}`),
)
const [BATCH = '', ATTEMPT = '', PARTITION = '', TRY = '', ROW = ''] = STAGE_COLUMNS

/** As a table that is not logged: what a crash of the server takes from it is counted and
 * missed. */
export async function createStage(
  client: PoolClient,
  { name, columns, constraints }: TargetTable,
  stage: string,
): Promise<void> {
  const own = [
    `NULL::bigint AS ${BATCH}`,
    ...[ATTEMPT, PARTITION, TRY, ROW].map((column) => `NULL::integer AS ${column}`),
  ]
  const chosen = columns.map((column) => quoted(column.name))
  // One that is there is of a try whose answer was lost.
  await client.query(`DROP TABLE IF EXISTS ${stage}`)
  await client.query(
    `CREATE UNLOGGED TABLE ${stage} AS SELECT ${[...own, ...chosen].join(', ')} FROM ${name} ` +
      `WITH NO DATA`,
  )
  for (const constraint of constraints) await client.query(`ALTER TABLE ${stage} ${constraint}`)
}

/** The rows of one attempt: of each partition those of the try that its receipt names. */
export function stagedRows(stage: string): string {
  return (
    `FROM ${stage} AS s JOIN unnest($3::integer[], $4::integer[]) AS w (partition, try) ` +
    `ON s.${PARTITION} = w.partition AND s.${TRY} = w.try ` +
    `WHERE s.${BATCH} = $1 AND s.${ATTEMPT} = $2`
  )
}

/** Moves the rows of an attempt on. */
export interface Merge {
  /** Inserts or upserts the first $5 of them, or all where that is NULL. */
  readonly statement: string
  /** Gives `partition` and `record` of the one after the first $5. */
  readonly locate: string
}

/** The statements that move an attempt's rows into the table; of a key the last one counts. */
export function mergeOf(
  target: TargetTable,
  stage: string,
  key: readonly string[] | undefined,
): Merge {
  const names = target.columns.map(({ name }) => name)
  const list = names.map(quoted).join(', ')
  const into = `INSERT INTO ${target.name} (${list})`
  const values = names.map((name) => `s.${quoted(name)}`).join(', ')
  const place = `s.${PARTITION} AS partition, s.${ROW} AS record`
  if (key === undefined) {
    const rows = `${stagedRows(stage)} ORDER BY s.${PARTITION}, s.${ROW}`
    return {
      statement: `${into} SELECT ${values} ${rows} LIMIT $5::bigint`,
      locate: `SELECT ${place} ${rows} OFFSET $5::bigint LIMIT 1`,
    }
  }
  const keys = key.map((name) => `s.${quoted(name)}`).join(', ')
  const latest = `ORDER BY ${keys}, s.${PARTITION} DESC, s.${ROW} DESC`
  const others = names.filter((name) => !key.includes(name)).map(quoted)
  const change =
    others.length === 0
      ? 'DO NOTHING'
      : `DO UPDATE SET ${others.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`
  const rows = `${stagedRows(stage)} ${latest}`
  return {
    statement:
      `${into} SELECT DISTINCT ON (${keys}) ${values} ${rows} LIMIT $5::bigint ` +
      `ON CONFLICT (${key.map(quoted).join(', ')}) ${change}`,
    locate: `SELECT DISTINCT ON (${keys}) ${place} ${rows} OFFSET $5::bigint LIMIT 1`,
  }
}
