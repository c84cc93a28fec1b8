// Which record of a batch the table refuses, where PostgreSQL does not tell: a unique index, a
// foreign key or a trigger has its say when the staged rows are merged, and its error names no row.

import type { PoolClient } from 'pg'
import { codeOf } from '../../errors.ts'
import type { Merge } from './stage.ts'

/** Of larger batches no record is looked for. */
const RECORDS_MAX = 100_000
const STATEMENT_S = 5

/** A record of a batch. */
export interface RecordPlace {
  readonly partition: number
  readonly record: number
}

/** What is known of the merge that failed. `values` are those of the merge but for the limit. */
export interface FailedMerge {
  readonly merge: Merge
  readonly values: readonly unknown[]
  readonly records: number
  readonly error: unknown
}

/** True where the values of a record may be at fault: data, integrity, raised by a trigger. */
export function isRefusal(error: unknown): boolean {
  return /^(22|23|44|P0)/.test(codeOf(error) ?? '')
}

/** Finds the first staged row with which the merge fails as it did, by halving, in a transaction
 * that is rolled back. Gives undefined where the merge does not fail again. Rejects where the
 * server does not go along. */
export async function refusedRecord(
  client: PoolClient,
  failed: FailedMerge,
): Promise<RecordPlace | undefined> {
  if (failed.records > RECORDS_MAX) return undefined
  await client.query(
    `BEGIN; SET LOCAL statement_timeout = '${STATEMENT_S}s'; ` +
      `SET LOCAL lock_timeout = '${STATEMENT_S}s'; SET CONSTRAINTS ALL IMMEDIATE; SAVEPOINT tried`,
  )
  try {
    return await halve(client, failed)
  } finally {
    await client.query('ROLLBACK')
  }
}

async function halve(client: PoolClient, failed: FailedMerge): Promise<RecordPlace | undefined> {
  let fine = 0
  let refused = failed.records
  if (!(await isRefused(client, failed, refused))) return undefined
  while (refused - fine > 1) {
    const half = Math.floor((fine + refused) / 2)
    if (await isRefused(client, failed, half)) refused = half
    else fine = half
  }
  const found = await client.query(failed.merge.locate, [...failed.values, fine])
  return (found.rows as RecordPlace[])[0]
}

/** True if the merge of the first `count` rows fails as it did. */
async function isRefused(
  client: PoolClient,
  { merge, values, error }: FailedMerge,
  count: number,
): Promise<boolean> {
  try {
    await client.query(merge.statement, [...values, count])
    return false
  } catch (again) {
    if (codeOf(again) !== codeOf(error)) throw again
    return true
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT tried')
  }
}
