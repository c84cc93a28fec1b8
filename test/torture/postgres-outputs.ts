// Outputs in PostgreSQL: a table for each, in a schema of the test's own. The batch of a row is
// that of the receipt which the same transaction wrote.

import type { Sink } from 'millrace'
import { postgres } from 'millrace/sinks/postgres'
import { type PostgresServer, rowsOf } from '../integration/postgres-server.ts'
import type { Batches, Outputs } from './outputs.ts'
import type { SteppedWorld } from './stepped-world.ts'
import { WatchedPostgres } from './watched-postgres.ts'

interface Row {
  readonly batch: string | null
  readonly record: unknown
}

interface Receipt {
  readonly batch: string
  readonly records: string
}

/** The tables of one case. */
export class PostgresOutputs implements Outputs {
  readonly #server: PostgresServer
  readonly #schema: string
  #watched: WatchedPostgres | undefined

  private constructor(server: PostgresServer, schema: string) {
    this.#server = server
    this.#schema = schema
  }

  /** Makes the tables in a schema that is not there yet. */
  static async open(
    server: PostgresServer,
    schema: string,
    outputs: readonly string[],
  ): Promise<PostgresOutputs> {
    const tables = outputs.map(
      (output) => `CREATE TABLE ${schema}."${output}" (n bigserial, record jsonb NOT NULL)`,
    )
    await server.client.query([`CREATE SCHEMA ${schema}`, ...tables].join(';'))
    return new PostgresOutputs(server, schema)
  }

  readonly sinkOf = (output: string): Sink<unknown> =>
    postgres<unknown>({
      connection: this.#server.url,
      schema: this.#schema,
      table: output,
      columns: { record: (record) => record },
      bookkeeping: this.#bookkeeping,
    })

  get #bookkeeping(): string {
    return `${this.#schema}_own`
  }

  watch(world: SteppedWorld): void {
    this.#watched = new WatchedPostgres(world)
  }

  release(): Promise<void> {
    this.#watched?.close()
    return Promise.resolve()
  }

  async batches(output: string): Promise<Batches> {
    const rows = (await rowsOf(
      this.#server,
      `SELECT r.batch, t.record FROM ${this.#schema}."${output}" t
       LEFT JOIN ${this.#bookkeeping}.receipts r ON r.xmin = t.xmin ORDER BY t.n`,
    )) as Row[]
    const batches: Batches = new Map()
    for (const { batch, record } of rows) {
      if (batch === null) throw new Error(`A row of "${output}" must have a receipt, got ${record}`)
      const records = batches.get(Number(batch)) ?? []
      batches.set(Number(batch), records)
      records.push(record)
    }
    return batches
  }

  /** Throws if a staging table, or a receipt whose rows are not there, was left. */
  async checkRest(outputs: readonly string[]): Promise<void> {
    const own = this.#bookkeeping
    const stages = await rowsOf(
      this.#server,
      `SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('${own}')
       AND starts_with(relname, 'stage_')`,
    )
    if (stages.length > 0) throw new Error(`Staging tables are left: ${JSON.stringify(stages)}`)
    const written = `SELECT count(*) FROM (${outputs
      .map((output) => `SELECT xmin FROM ${this.#schema}."${output}"`)
      .join(' UNION ALL ')}) t WHERE t.xmin = r.xmin`
    const receipts = (await rowsOf(
      this.#server,
      `SELECT batch, records FROM ${own}.receipts r WHERE records <> (${written})`,
    )) as Receipt[]
    if (receipts.length > 0) throw new Error(`Receipts lack rows: ${JSON.stringify(receipts)}`)
  }

  async remove(): Promise<void> {
    const schemas = [this.#schema, this.#bookkeeping].join(', ')
    await this.#server.client.query(`DROP SCHEMA IF EXISTS ${schemas} CASCADE`)
  }
}
