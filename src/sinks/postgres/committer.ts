// The driver's side: tasks have copied the records into a staging table, and one transaction moves
// them into the table, together with the receipt of the batch and under the lock of the epoch's
// row.

import { randomUUID } from 'node:crypto'
import type { PoolClient } from 'pg'
import { StreamingError } from '../../errors.ts'
import type {
  SinkBatch,
  SinkCommitter,
  SinkContext,
  SinkReceipt,
  WrittenPartition,
} from '../sink.ts'
import { Bookkeeping } from './bookkeeping.ts'
import { Connections } from './connections.ts'
import { type FailedMerge, isRefusal, type RecordPlace, refusedRecord } from './culprit.ts'
import { writeFailed } from './failures.ts'
import type { PostgresSettings } from './options.ts'
import {
  createStage,
  type Merge,
  mergeOf,
  type StagedDetail,
  type StageTicket,
  stagedRows,
} from './stage.ts'
import { type TargetTable, targetTable } from './target-table.ts'

const DROP_LOCK_WAIT_S = 2

/** Merges staged batches into the table. */
export class PostgresCommitter implements SinkCommitter {
  readonly #table: string
  readonly #context: SinkContext
  readonly #connections: Connections
  readonly #bookkeeping: Bookkeeping
  readonly #ticket: StageTicket
  readonly #merge: Merge

  private constructor(
    settings: PostgresSettings<never>,
    context: SinkContext,
    connections: Connections,
    bookkeeping: Bookkeeping,
    target: TargetTable,
  ) {
    this.#table = settings.table
    this.#context = context
    this.#connections = connections
    this.#bookkeeping = bookkeeping
    this.#ticket = { stage: bookkeeping.stage, columns: target.columns }
    this.#merge = mergeOf(target, bookkeeping.stage, settings.key)
  }

  /** Checks the table, claims the output for this epoch, and makes the staging table. */
  static async open(
    settings: PostgresSettings<never>,
    context: SinkContext,
  ): Promise<PostgresCommitter> {
    const name = `millrace ${context.pipeline}`.slice(0, 63)
    const connections = await Connections.open(settings, name)
    try {
      const { retried } = context
      const bookkeeping = new Bookkeeping(settings, context, randomUUID())
      await connections.transaction((client) => bookkeeping.create(client), retried)
      const target = await connections.transaction(async (client) => {
        const found = await targetTable(client, settings)
        await bookkeeping.claim(client)
        await createStage(client, found, bookkeeping.stage)
        return found
      }, retried)
      const made = new PostgresCommitter(settings, context, connections, bookkeeping, target)
      await made.#dropLeftStages()
      return made
    } catch (error) {
      await connections.close()
      throw error
    }
  }

  /** Nothing to do: the receipts tell which batches are there. */
  recover(): Promise<void> {
    return Promise.resolve()
  }

  prepare(): Promise<StageTicket> {
    return Promise.resolve(this.#ticket)
  }

  /** Where the connection is lost within the transaction, the next one waits for the lock until the
   * server has ended the first, and sees by the receipt whether it was committed. */
  async commit(batch: SinkBatch, written: readonly WrittenPartition[]): Promise<SinkReceipt> {
    const records = written.reduce((n, part) => n + part.records, 0)
    const bytes = written.reduce((n, part) => n + part.bytes, 0)
    try {
      await this.#connections.transaction(
        (client) => this.#commitIn(client, batch, written, records),
        this.#context.retried,
      )
    } catch (error) {
      if (error instanceof StreamingError) throw error
      const failed = { merge: this.#merge, values: valuesOf(batch, written), records, error }
      throw writeFailed(batch, this.#table, error, await this.#culprit(failed))
    }
    return { records, bytes }
  }

  /** Where it cannot be found, the error of the batch says as much as PostgreSQL does. */
  async #culprit(failed: FailedMerge): Promise<RecordPlace | undefined> {
    if (!isRefusal(failed.error)) return undefined
    try {
      return await this.#connections.use(
        (client) => refusedRecord(client, failed),
        this.#context.retried,
      )
    } catch (err) {
      this.#context.logger.warn({ err }, 'Cannot find the record that PostgreSQL refused')
      return undefined
    }
  }

  async close(): Promise<void> {
    try {
      await this.#drop(this.#ticket.stage)
    } finally {
      await this.#connections.close()
    }
  }

  async #commitIn(
    client: PoolClient,
    batch: SinkBatch,
    written: readonly WrittenPartition[],
    records: number,
  ): Promise<void> {
    const { stage } = this.#ticket
    const isNew = await this.#bookkeeping.enter(client, batch, records)
    if (isNew) {
      const values = valuesOf(batch, written)
      const counted = await client.query(`SELECT count(*) AS n ${stagedRows(stage)}`, values)
      const found = Number((counted.rows[0] as { n: string }).n)
      if (found !== records) throw stageLost(batch, this.#table, found, records)
      await client.query(this.#merge.statement, [...values, null])
      await this.#bookkeeping.prune(client, batch)
    }
    await client.query(`TRUNCATE ${stage}`)
  }

  async #dropLeftStages(): Promise<void> {
    const left = await this.#connections.use(
      (client) => this.#bookkeeping.leftStages(client),
      this.#context.retried,
    )
    for (const stage of left) await this.#drop(stage)
  }

  /** What cannot be dropped now, the next start drops: a task of a run before this one may stand
   * within a COPY to it. */
  async #drop(stage: string): Promise<void> {
    try {
      await this.#connections.transaction(
        (client) => client.query(`DROP TABLE IF EXISTS ${stage}`),
        this.#context.retried,
        DROP_LOCK_WAIT_S,
      )
    } catch (err) {
      this.#context.logger.warn({ err, stage }, 'Cannot drop a staging table: the next start will')
    }
  }
}

/** What `stagedRows` takes. */
function valuesOf(
  { batchId, attempt }: SinkBatch,
  written: readonly WrittenPartition[],
): unknown[] {
  const tries = written.map(({ detail }) => (detail as StagedDetail).tried)
  return [batchId, attempt, written.map(({ partition }) => partition), tries]
}

function stageLost(
  { batchId }: SinkBatch,
  table: string,
  found: number,
  records: number,
): StreamingError {
  return new StreamingError(
    'SINK_FAILED',
    `Cannot write batch ${batchId} to PostgreSQL table "${table}": ${records} records were ` +
      `staged, and ${found} are there; the server was started anew, or its staging table was ` +
      `changed; start again: the batch is written again`,
    { retryable: true },
  )
}
