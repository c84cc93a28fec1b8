// The postgres sink in a pipeline, against a real server: what it writes and what it refuses.

import { type PostgresOptions, postgres } from 'millrace/sinks/postgres'
import { type Death, runBatches } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkLife } from '../../src/testing/sink-life.ts'
import {
  hasPostgres,
  type PostgresServer,
  rowsOf,
  startPostgres,
} from '../integration/postgres-server.ts'

type Pair = [string, number]

const columns = { word: ([word]: Pair) => word, n: ([, n]: Pair) => n }
const nasty = `we"ird'; DROP TABLE "there"; -- \\ $1 é`

describe.skipIf(!hasPostgres())('postgres', { timeout: 120_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.close())

  /** A sink with bookkeeping of its own. */
  function sinkOn(table: string, options: Partial<PostgresOptions<Pair>> = {}) {
    const bookkeeping = `m_${table}`.slice(0, 60)
    return postgres<Pair>({ connection: server.url, table, columns, bookkeeping, ...options })
  }

  /** Writes batches of pairs, with deaths. */
  function write(
    table: string,
    batches: Pair[][],
    options: Partial<PostgresOptions<Pair>> = {},
    restartAfter: Death[] = [],
  ) {
    const how = { inputs: [batches], batches: batches.length, restartAfter }
    return runBatches(how, (_ssc, pairs) => {
      pairs.writeTo(sinkOn(table, options))
      return pairs
    })
  }

  const run = (statement: string) => server.client.query(statement)
  const upsert = { mode: 'upsert', key: ['word'] } as const

  test('inserts a row for each record, in order', async () => {
    await run('CREATE TABLE inserted (word text, n integer, at timestamptz DEFAULT now())')
    const batches: Pair[][] = [
      [
        ['a', 1],
        ['b', 2],
        ['a', 3],
      ],
      [],
      [['c', 4]],
    ]
    await write('inserted', batches)
    expect(await rowsOf(server, 'SELECT word, n FROM inserted')).toEqual([
      { word: 'a', n: 1 },
      { word: 'b', n: 2 },
      { word: 'a', n: 3 },
      { word: 'c', n: 4 },
    ])
    const [dated] = await rowsOf(server, 'SELECT count(at)::int AS n FROM inserted')
    expect(dated).toEqual({ n: 4 })
  })

  test('upserts the last record of each key', async () => {
    await run('CREATE TABLE upserted (word text PRIMARY KEY, n integer, kept text DEFAULT 1)')
    const first: Pair[] = [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ]
    await write('upserted', [first, [['b', 7]]], upsert)
    expect(await rowsOf(server, 'SELECT * FROM upserted ORDER BY word')).toEqual([
      { word: 'a', n: 3, kept: '1' },
      { word: 'b', n: 7, kept: '1' },
    ])
  })

  test('takes any names as they are', async () => {
    const quoted = nasty.replaceAll('"', '""')
    await run('CREATE TABLE there (n integer)')
    await run(`CREATE SCHEMA "${quoted}"`)
    await run(`CREATE TABLE "${quoted}"."${quoted}" ("${quoted}" text PRIMARY KEY, "n" integer)`)
    const named = { [nasty]: ([word]: Pair) => word, n: ([, n]: Pair) => n }
    const options = {
      connection: server.url,
      table: nasty,
      schema: nasty,
      bookkeeping: `${nasty} too`,
      columns: named,
      mode: 'upsert',
      key: [nasty],
    } as const
    const batches: Pair[][] = [[[nasty, 1]], [[nasty, 2]]]
    await runBatches({ inputs: [batches], batches: 2, restartAfter: [1] }, (_ssc, pairs) => {
      pairs.writeTo(postgres<Pair>(options))
      return pairs
    })
    expect(await rowsOf(server, `SELECT * FROM "${quoted}"."${quoted}"`)).toEqual([
      { [nasty]: nasty, n: 2 },
    ])
    expect(await rowsOf(server, 'SELECT * FROM there')).toEqual([])
  })

  test('writes properties as columns of their names', async () => {
    await run('CREATE TABLE properties ("word" text, "N" integer)')
    const inputs = [[[{ word: 'a', N: 1, other: 5 }, { word: 'b' }]]]
    await runBatches({ inputs, batches: 1 }, (_ssc, records) => {
      records.writeTo(
        postgres({ connection: server.url, table: 'properties', columns: ['word', 'N'] }),
      )
      return records
    })
    expect(await rowsOf(server, 'SELECT * FROM properties')).toEqual([
      { word: 'a', N: 1 },
      { word: 'b', N: null },
    ])
  })

  const points = ['planned', 'ran', 'staged', 'sinks', 'committed'] as const
  test('100 batches of upserts with deaths and lost connections are as without', async () => {
    await run('CREATE TABLE oracle (word text PRIMARY KEY, n integer)')
    const expected = new Map<string, number>()
    const batches = Array.from({ length: 100 }, (_, batch) =>
      Array.from({ length: 1 + (batch % 7) }, (_, i): Pair => {
        const pair: Pair = [`k${(batch * 13 + i * 5) % 40}`, batch * 100 + i]
        expected.set(...pair)
        return pair
      }),
    )
    const deaths = Array.from({ length: 50 }, (_, i) => ({
      batch: 2 * i + 1,
      at: points[i % 5] ?? 'ran',
    }))
    const how = { inputs: [batches], batches: 100, restartAfter: deaths }
    let n = 0
    await runBatches(how, (_ssc, pairs) => {
      pairs
        .mapAsync(
          async (pair: Pair) => {
            n += 1
            if (n % 29 === 0) await killSessions(server)
            return pair
          },
          { concurrency: 1 },
        )
        .writeTo(sinkOn('oracle', upsert))
      return pairs
    })
    const rows = (await rowsOf(server, 'SELECT * FROM oracle')) as { word: string; n: number }[]
    expect(new Map(rows.map((row) => [row.word, row.n]))).toEqual(expected)
    expect(await stagesOf(server, 'm_oracle')).toEqual([])
  })

  test('on two workers, whose tasks copy, with deaths', async () => {
    await run('CREATE TABLE threads (word text, n integer)')
    const batches = Array.from({ length: 10 }, (_, batch) =>
      Array.from({ length: 20 }, (_, i): Pair => [`w${batch}`, i]),
    )
    const deaths = points.map((at, i) => ({ batch: 2 * i + 1, at }))
    const how = { inputs: [batches], batches: 10, workers: 2, restartAfter: deaths }
    const args = { connection: server.url, table: 'threads', bookkeeping: 'm_threads' }
    const module = new URL('./postgres-pipeline.ts', import.meta.url)
    await runBatches({ ...how, args }, { module })
    const order = 'SELECT word, n FROM threads ORDER BY word, n'
    const rows = (await rowsOf(server, order)) as { word: string; n: number }[]
    expect(rows.map(({ word, n }) => [word, n])).toEqual(batches.flat(1))
  })

  describe('refuses at the start', () => {
    test.each<[string, string, Partial<PostgresOptions<Pair>>, RegExp]>([
      ['a table that is not there', 'SELECT 1', {}, /table "missing": there is none/],
      [
        'a column that is not there',
        'CREATE TABLE missing (word text)',
        {},
        /has no column "n", but "word"/,
      ],
      [
        'a key without a unique index',
        'CREATE TABLE missing (word text, n integer)',
        upsert,
        /no unique index has exactly the columns "word"; run ALTER TABLE/,
      ],
      [
        'a column that PostgreSQL computes',
        'CREATE TABLE missing (word text, n integer GENERATED ALWAYS AS (1) STORED)',
        {},
        /itself makes the values of column "n"/,
      ],
    ])('%s', async (_what, statement, options, message) => {
      await run(statement)
      const started = write('missing', [[]], options)
      await expect(started).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      await expect(started).rejects.toThrow(message)
      await run('DROP TABLE IF EXISTS missing')
    })
  })

  describe('in one life after another', () => {
    const batch = (batchId: number, ...words: string[]) => ({
      batchId,
      partitions: [words.map((word): Pair => [word, 1])],
    })
    const words = async (table: string) =>
      ((await rowsOf(server, `SELECT word FROM ${table}`)) as Pair[]).map((row) =>
        Reflect.get(row, 'word'),
      )
    const life = (table: string, epoch: number) =>
      SinkLife.open(() => sinkOn(table) as never, epoch, [])

    test('a driver that is fenced between staging and merge writes nothing', async () => {
      await run('CREATE TABLE fenced (word text, n integer)')
      const old = await life('fenced', 1)
      const steps = old.steps(batch(1, 'old'))
      for (const step of steps.slice(0, -1)) await step.run()
      const next = await life('fenced', 2)
      const merged = steps.at(-1)?.run()
      await expect(merged).rejects.toMatchObject({ code: 'FENCED' })
      await expect(merged).rejects.toThrow(/in epoch 1: epoch 2 has claimed it/)
      await next.write(batch(1, 'new'))
      await expect(life('fenced', 1)).rejects.toMatchObject({ code: 'FENCED' })
      expect(await words('fenced')).toEqual(['new'])
      await old.close()
      await next.close()
    })

    test('a new checkpoint does not take old batches for its own', async () => {
      await run('CREATE TABLE anew (word text, n integer)')
      const first = await life('anew', 1)
      await first.write(batch(1, 'a'))
      await first.close()
      await expect(life('anew', 1)).rejects.toThrow(/checkpoint was deleted, give the pipeline/)
      const second = await life('anew', 2)
      await run(`UPDATE m_anew.receipts SET time = 7`)
      await expect(second.write(batch(1, 'b'))).rejects.toThrow(/is of another checkpoint/)
      await second.close()
    })

    test('without a checkpoint batches begin anew', async () => {
      await run('CREATE TABLE without (word text, n integer)')
      for (const word of ['a', 'b']) {
        const one = await life('without', 0)
        await one.write(batch(1, word))
        await one.close()
      }
      expect(await words('without')).toEqual(['a', 'b'])
    })

    test('many create the bookkeeping at once', async () => {
      await run('CREATE TABLE many (word text, n integer)')
      const open = (i: number) => {
        const sink = sinkOn('many', { connectionsMax: 1 })
        const context = { pipeline: `p${i}`, outputId: 0, epoch: 1 }
        return sink.open({ ...context, logger: console, retried: () => undefined } as never)
      }
      const opened = await Promise.all(Array.from({ length: 16 }, (_, i) => open(i)))
      const [claims] = await rowsOf(server, 'SELECT count(*)::int AS n FROM m_many.epochs')
      expect(claims).toEqual({ n: 16 })
      for (const one of opened) await one.close()
      expect(await stagesOf(server, 'm_many')).toEqual([])
    })

    test('keeps receipts of the last batches only', async () => {
      await run('CREATE TABLE pruned (word text, n integer)')
      const one = await life('pruned', 1)
      for (const id of [1, 999, 1_000, 1_001, 10_999, 11_000]) await one.write(batch(id, `b${id}`))
      const rows = await rowsOf(server, 'SELECT batch::int FROM m_pruned.receipts ORDER BY 1')
      expect(rows).toEqual([{ batch: 1_001 }, { batch: 10_999 }, { batch: 11_000 }])
      await expect(one.write(batch(999, 'again'))).rejects.toThrow(/was written long ago/)
      await one.close()
    })

    test('misses what a server that crashed has lost of the staging table', async () => {
      await run('CREATE TABLE lost (word text, n integer)')
      const one = await life('lost', 1)
      const steps = one.steps(batch(1, 'a', 'b'))
      for (const step of steps.slice(0, -1)) await step.run()
      const [stage = ''] = await stagesOf(server, 'm_lost')
      await run(`DELETE FROM m_lost."${stage}" WHERE word = 'a'`)
      await expect(steps.at(-1)?.run()).rejects.toThrow(/2 records were staged, and 1 are there/)
      expect(await words('lost')).toEqual([])
      await one.close()
    })
  })
})

async function killSessions(server: PostgresServer): Promise<void> {
  await server.client.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE application_name LIKE 'millrace%'`,
  )
}

async function stagesOf(server: PostgresServer, schema: string): Promise<string[]> {
  const rows = await rowsOf(
    server,
    `SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('${schema}')
     AND relname LIKE 'stage%'`,
  )
  return (rows as { relname: string }[]).map(({ relname }) => relname)
}
