// The tasks' side: copies the records of a partition into the staging table of the run.

import { Readable } from 'node:stream'
import { pipeline as pipe } from 'node:stream/promises'
import type { from } from 'pg-copy-streams'
import { messageOf } from '../../errors.ts'
import type { SinkTask, SinkTaskContext, SinkTaskWriter, TaskReceipt } from '../sink.ts'
import { Connections, importClient } from './connections.ts'
import { copyField } from './copy-text.ts'
import { BadRecord, copiedRecord, writeFailed } from './failures.ts'
import { type ColumnOf, type PostgresSettings, quoted } from './options.ts'
import { STAGE_COLUMNS, type StagedDetail, type StageTicket } from './stage.ts'

const CHUNK_CHARACTERS = 65_536

type CopyFrom = typeof from

/** Copies partitions into the staging table. */
export class PostgresTaskWriter<T> implements SinkTaskWriter<T> {
  readonly #table: string
  readonly #getters: readonly ColumnOf<T>[]
  readonly #connections: Connections
  readonly #copyFrom: CopyFrom

  private constructor(
    { table, getters }: PostgresSettings<T>,
    connections: Connections,
    copyFrom: CopyFrom,
  ) {
    this.#table = table
    this.#getters = getters
    this.#connections = connections
    this.#copyFrom = copyFrom
  }

  static async open<T>(
    settings: PostgresSettings<T>,
    { pipeline }: SinkTaskContext,
  ): Promise<PostgresTaskWriter<T>> {
    const copy = await importClient(() => import('pg-copy-streams'), settings.table)
    const name = `millrace ${pipeline} task`.slice(0, 63)
    return new PostgresTaskWriter(settings, await Connections.open(settings, name), copy.from)
  }

  /** Where the connection is lost, nobody knows whether the rows are there: the next try writes
   * others under its own number, and the receipt says which count. */
  async write(task: SinkTask, records: readonly T[]): Promise<TaskReceipt> {
    const { stage, columns } = task.ticket as StageTicket
    const names = [...STAGE_COLUMNS, ...columns.map(({ name }) => quoted(name))]
    const command = `COPY ${stage} (${names.join(', ')}) FROM STDIN`
    let retries = 0
    let bytes = 0
    try {
      await this.#connections.use(
        async (client) => {
          const head = `${task.batchId}\t${task.attempt}\t${task.partition}\t${retries}\t`
          const chunks = this.#chunks(head, task.ticket as StageTicket, records, (n) => {
            bytes = n
          })
          await pipe(Readable.from(chunks), client.query(this.#copyFrom(command)))
        },
        () => {
          retries += 1
        },
      )
    } catch (error) {
      const { partition } = task
      throw writeFailed(task, this.#table, error, { partition, record: copiedRecord(error) })
    }
    const detail: StagedDetail = { tried: retries }
    return { records: records.length, bytes, retries, detail }
  }

  close(): Promise<void> {
    return this.#connections.close()
  }

  /** The lines in pieces; tells their bytes when all have been taken. */
  *#chunks(
    head: string,
    { columns }: StageTicket,
    records: readonly T[],
    done: (bytes: number) => void,
  ): Generator<Buffer> {
    let bytes = 0
    let text = ''
    for (let row = 0; row < records.length; row++) {
      text += `${head}${row}`
      for (let i = 0; i < columns.length; i++) {
        text += `\t${this.#field(records[row] as T, row, i, columns)}`
      }
      text += '\n'
      if (text.length < CHUNK_CHARACTERS && row < records.length - 1) continue
      const chunk = Buffer.from(text)
      bytes += chunk.length
      text = ''
      yield chunk
    }
    done(bytes)
  }

  #field(record: T, row: number, i: number, columns: StageTicket['columns']): string {
    const column = columns[i]
    const getter = this.#getters[i]
    if (column === undefined || getter === undefined) throw new Error('millrace bug: no column')
    try {
      return copyField(getter(record), column)
    } catch (cause) {
      throw new BadRecord(messageOf(cause), { cause, record: row, column: column.name })
    }
  }
}
