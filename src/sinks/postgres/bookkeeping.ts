// What millrace remembers in the database: who may write for an output, and which batches are
// there.

import { createHash } from 'node:crypto'
import type { PoolClient } from 'pg'
import { StreamingError } from '../../errors.ts'
import type { SinkBatch, SinkContext } from '../sink.ts'
import { type PostgresSettings, quoted } from './options.ts'

/** Receipts that are kept: many more than batches that a restart can bring again. */
const RECEIPTS_MIN = 10_000
/** How often older ones are deleted, in batches. */
const PRUNE_EVERY = 1_000
// Any number will do, as long as all who create the schema take the same.
const CREATION_LOCK = 5_710_482_913

interface OwnerRow {
  readonly epoch: string
  readonly owner: string
  readonly pruned: string
}

/** The rows of one output of one pipeline, as the run that claimed them sees them. */
export class Bookkeeping {
  readonly #schema: string
  readonly #output: readonly [pipeline: string, output: number]
  readonly #epoch: number
  readonly #owner: string
  readonly #table: string

  constructor(settings: PostgresSettings<never>, context: SinkContext, owner: string) {
    this.#schema = settings.bookkeeping
    this.#table = settings.table
    this.#output = [context.pipeline, context.outputId]
    this.#epoch = context.epoch
    this.#owner = owner
  }

  /** The staging table of this run, quoted. */
  get stage(): string {
    return `${this.#schema}.${quoted(`${this.#stagePrefix}${this.#owner}`)}`
  }

  get #stagePrefix(): string {
    const hash = createHash('sha256').update(JSON.stringify(this.#output)).digest('hex')
    return `stage_${hash.slice(0, 16)}_`
  }

  /** Makes the schema and its tables where they are missing; any number of runs may do so at
   * once. */
  async create(client: PoolClient): Promise<void> {
    const schema = this.#schema
    const found = await client.query('SELECT to_regclass($1) AS table', [`${schema}.receipts`])
    if ((found.rows[0] as { table: unknown }).table !== null) return
    await client.query('SELECT pg_advisory_xact_lock($1)', [CREATION_LOCK])
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${schema}.epochs (
      pipeline text NOT NULL, output integer NOT NULL, epoch bigint NOT NULL, owner text NOT NULL,
      pruned bigint NOT NULL DEFAULT 0, claimed timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (pipeline, output))`)
    await client.query(`CREATE TABLE IF NOT EXISTS ${schema}.receipts (
      pipeline text NOT NULL, output integer NOT NULL, batch bigint NOT NULL, time bigint NOT NULL,
      epoch bigint NOT NULL, records bigint NOT NULL,
      written timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (pipeline, output, batch))`)
  }

  /** Becomes the owner of the output: from the end of the transaction on nobody with a lower epoch
   * writes to it. Rejects with FENCED if a higher one has claimed it. */
  async claim(client: PoolClient): Promise<void> {
    const epochs = `${this.#schema}.epochs`
    const claimed = await client.query(
      `INSERT INTO ${epochs} (pipeline, output, epoch, owner) VALUES ($1, $2, $3, $4)
       ON CONFLICT (pipeline, output) DO UPDATE
       SET epoch = EXCLUDED.epoch, owner = EXCLUDED.owner, claimed = now()
       WHERE epochs.epoch < EXCLUDED.epoch OR epochs.epoch = 0 OR epochs.owner = EXCLUDED.owner`,
      [...this.#output, this.#epoch, this.#owner],
    )
    if (claimed.rowCount === 0) throw this.#fenced(await this.#row(client, ''))
    if (this.#epoch > 0) return
    // Without a checkpoint batches are counted from 1 again: earlier receipts are of other batches.
    const mine = 'WHERE pipeline = $1 AND output = $2'
    await client.query(`DELETE FROM ${this.#schema}.receipts ${mine}`, [...this.#output])
    await client.query(`UPDATE ${epochs} SET pruned = 0 ${mine}`, [...this.#output])
  }

  /** Makes sure, until the end of the transaction, that the run still owns the output, and enters
   * the batch. Gives false where it is there already. */
  async enter(client: PoolClient, batch: SinkBatch, records: number): Promise<boolean> {
    const row = await this.#row(client, 'FOR UPDATE')
    if (row?.owner !== this.#owner) throw this.#fenced(row)
    if (batch.batchId <= Number(row.pruned)) throw this.#foreign(batch, 'was written long ago')
    const entered = await client.query(
      `INSERT INTO ${this.#schema}.receipts (pipeline, output, batch, time, epoch, records)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
      [...this.#output, batch.batchId, batch.time, this.#epoch, records],
    )
    if (entered.rowCount === 1) return true
    const found = await client.query(
      `SELECT time FROM ${this.#schema}.receipts
       WHERE pipeline = $1 AND output = $2 AND batch = $3`,
      [...this.#output, batch.batchId],
    )
    const time = Number((found.rows[0] as { time: string }).time)
    if (time !== batch.time) throw this.#foreign(batch, `has the time ${time}`)
    return false
  }

  /** Deletes old receipts, now and then. */
  async prune(client: PoolClient, { batchId }: SinkBatch): Promise<void> {
    const upTo = batchId - RECEIPTS_MIN
    if (batchId % PRUNE_EVERY !== 0 || upTo <= 0) return
    const mine = 'WHERE pipeline = $1 AND output = $2'
    const values = [...this.#output, upTo]
    await client.query(`DELETE FROM ${this.#schema}.receipts ${mine} AND batch <= $3`, values)
    await client.query(`UPDATE ${this.#schema}.epochs SET pruned = $3 ${mine}`, values)
  }

  /** The staging tables that earlier runs of the output left, quoted. */
  async leftStages(client: PoolClient): Promise<string[]> {
    const found = await client.query(
      `SELECT relname AS name FROM pg_class
       WHERE relnamespace = to_regnamespace($1) AND relkind = 'r' AND starts_with(relname, $2)`,
      [this.#schema, this.#stagePrefix],
    )
    return (found.rows as { name: string }[])
      .map(({ name }) => `${this.#schema}.${quoted(name)}`)
      .filter((name) => name !== this.stage)
  }

  async #row(client: PoolClient, lock: '' | 'FOR UPDATE'): Promise<OwnerRow | undefined> {
    const found = await client.query(
      `SELECT epoch, owner, pruned FROM ${this.#schema}.epochs
       WHERE pipeline = $1 AND output = $2 ${lock}`,
      [...this.#output],
    )
    return (found.rows as OwnerRow[])[0]
  }

  #fenced(row: OwnerRow | undefined): StreamingError {
    const [pipeline, output] = this.#output
    const other = row === undefined ? 'its row was deleted' : `epoch ${row.epoch} has claimed it`
    return new StreamingError(
      'FENCED',
      `Cannot write output ${output} of pipeline "${pipeline}" to PostgreSQL table ` +
        `"${this.#table}" in epoch ${this.#epoch}: ${other}; run the pipeline in one place. If ` +
        `its checkpoint was deleted, give the pipeline another name, or delete its rows from ` +
        `${this.#schema}.epochs and ${this.#schema}.receipts`,
    )
  }

  #foreign({ batchId, time }: SinkBatch, what: string): StreamingError {
    return new StreamingError(
      'SINK_FAILED',
      `Cannot write batch ${batchId} (${time} ms) to PostgreSQL table "${this.#table}": the ` +
        `batch with that id that is there ${what}, so it is of another checkpoint; give the ` +
        `pipeline another name, or delete its rows from ${this.#schema}.epochs and ` +
        `${this.#schema}.receipts`,
    )
  }
}
