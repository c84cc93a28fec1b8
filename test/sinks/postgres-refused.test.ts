// What the postgres sink says of a record that the table refuses, against a real server.

import { type PostgresOptions, postgres } from 'millrace/sinks/postgres'
import { runBatches } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkLife } from '../../src/testing/sink-life.ts'
import {
  hasPostgres,
  type PostgresServer,
  rowsOf,
  startPostgres,
} from '../integration/postgres-server.ts'

type Pair = [string, number]

describe.skipIf(!hasPostgres())('postgres', { timeout: 120_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  const columns = { word: ([word]: Pair) => word, n: ([, n]: Pair) => n }

  /** A sink with bookkeeping of its own. */
  const sinkOn = (table: string, options: Partial<PostgresOptions<Pair>> = {}) =>
    postgres<Pair>({
      connection: server.url,
      table,
      columns,
      bookkeeping: `m_${table}`,
      ...options,
    })

  const run = (statement: string) => server.client.query(statement)
  const upsert = { mode: 'upsert', key: ['word'] } as const

  describe('a record that the table refuses', () => {
    test.each<[string, string, Pair[], RegExp]>([
      [
        'by its type',
        'n integer',
        [
          ['a', 1],
          ['b', 2],
          ['c', 2.5],
        ],
        /record 1 of partition 1 of batch 1 to PostgreSQL table "refused": .*"2\.5" \(column "n"\)/,
      ],
      [
        'by NOT NULL',
        'n integer NOT NULL',
        [['a', null as never]],
        /record 0 of partition 1 of batch 1 to .*value in column "n" .*\(column "n"; Failing row/,
      ],
      [
        'by a CHECK',
        'n integer CONSTRAINT small CHECK (n < 10)',
        [
          ['a', 1],
          ['b', 20],
        ],
        /partition 1 of batch 1 to .*constraint "small"/,
      ],
      [
        'by a unique index',
        'n integer UNIQUE',
        [
          ['a', 7],
          ['b', 7],
        ],
        /record 0 of partition 1 of batch 1 to .*constraint "refused_n_key"; Key \(n\)=\(7\)/,
      ],
      [
        'by a unique index that is looked at last',
        'n integer UNIQUE DEFERRABLE INITIALLY DEFERRED',
        [
          ['a', 1],
          ['b', 2],
          ['c', 3],
          ['d', 2],
        ],
        /record 1 of partition 1 of batch 1 to .*"refused_n_key"; Key \(n\)=\(2\) already/,
      ],
      [
        'by a foreign key',
        'n integer REFERENCES known (n)',
        [
          ['a', 1],
          ['b', 1],
          ['c', 5],
          ['d', 1],
        ],
        /record 0 of partition 1 of batch 1 to .*Key \(n\)=\(5\) is not present in table "known"/,
      ],
      [
        'as a column cannot be made of it',
        'n integer',
        [
          ['a', 1],
          ['b', { x: 1 } as never],
        ],
        /record 0 of partition 1 of batch 1 to .*json or jsonb only.* \(column "n"\)/,
      ],
    ])('%s is named, and nothing of the batch is there', async (_how, column, pairs, message) => {
      await run('CREATE TABLE IF NOT EXISTS known (n integer PRIMARY KEY)')
      await run('INSERT INTO known VALUES (1) ON CONFLICT DO NOTHING')
      await run(`DROP TABLE IF EXISTS refused; CREATE TABLE refused (word text, ${column})`)
      await run('DROP SCHEMA IF EXISTS m_refused CASCADE')
      const how = { inputs: [[pairs]], batches: 1 }
      const failed = runBatches(how, (_ssc, stream) => {
        stream.writeTo(sinkOn('refused'))
        return stream
      })
      await expect(failed).rejects.toMatchObject({ code: 'SINK_FAILED' })
      await expect(failed).rejects.toThrow(message)
      expect(await rowsOf(server, 'SELECT * FROM refused')).toEqual([])
    })
  })

  test('an upsert that a second unique index refuses names the record', async () => {
    const table = 'CREATE TABLE twice (word text PRIMARY KEY, n integer CONSTRAINT one UNIQUE)'
    await run(`${table}; INSERT INTO twice VALUES ('there', 5)`)
    const partitions: Pair[][] = [
      [
        ['b', 5],
        ['b', 2],
      ],
      [
        ['a', 9],
        ['c', 5],
        ['d', 4],
      ],
    ]
    const life = (epoch: number) => SinkLife.open(() => sinkOn('twice', upsert) as never, epoch, [])
    const first = await life(1)
    await expect(first.write({ batchId: 1, partitions })).rejects.toThrow(
      /record 1 of partition 1 of batch 1 to .*constraint "one"; Key \(n\)=\(5\) already exists/,
    )
    expect(await rowsOf(server, 'SELECT * FROM twice')).toEqual([{ word: 'there', n: 5 }])
    await run('ALTER TABLE twice DROP CONSTRAINT one')
    const second = await life(2)
    await second.write({ batchId: 1, partitions })
    await second.close()
    expect(await rowsOf(server, 'SELECT * FROM twice ORDER BY word')).toEqual([
      { word: 'a', n: 9 },
      { word: 'b', n: 2 },
      { word: 'c', n: 5 },
      { word: 'd', n: 4 },
      { word: 'there', n: 5 },
    ])
    const left = `SELECT relname FROM pg_class WHERE relname LIKE 'stage%' AND relkind = 'r'`
    expect(await rowsOf(server, `${left} AND relnamespace = 'm_twice'::regnamespace`)).toEqual([])
  })
})
