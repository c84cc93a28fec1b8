// The postgres sink against the contract, and with its connection cut at every message.

import { type PostgresOptions, postgres } from 'millrace/sinks/postgres'
import { checkSink, type SinkUnderTest } from 'millrace/testing'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkLife } from '../../src/testing/sink-life.ts'
import {
  hasPostgres,
  type PostgresServer,
  rowsOf,
  startPostgres,
} from '../integration/postgres-server.ts'
import { type Cut, type CuttingProxy, startProxy } from './cutting-proxy.ts'

describe.skipIf(!hasPostgres())('the postgres sink', { timeout: 120_000 }, () => {
  let server: PostgresServer
  let proxy: CuttingProxy
  beforeAll(async () => {
    server = await startPostgres()
    proxy = await startProxy(server.port)
  })
  afterAll(async () => {
    await proxy.close()
    await server.close()
  })

  let places = 0

  /** An empty table, and the sink that writes to it. */
  async function place(
    mode: 'insert' | 'upsert',
    connection: PostgresOptions<string>['connection'] = server.url,
  ): Promise<SinkUnderTest & { readonly table: string }> {
    places += 1
    const table = `place_${places}`
    const bookkeeping = `m_${places}`
    await server.client.query(`CREATE TABLE ${table} (word text PRIMARY KEY, n integer NOT NULL)`)
    const columns = { word: (word: string) => word, n: (word: string) => word.length }
    const key = mode === 'upsert' ? { mode, key: ['word'] } : { mode }
    const sink = () => postgres<string>({ connection, table, columns, bookkeeping, ...key })
    return {
      table,
      sink: sink as SinkUnderTest['sink'],
      async read() {
        const rows = await rowsOf(server, `SELECT word FROM ${table}`)
        return (rows as { word: string }[]).map(({ word }) => word)
      },
      async leftovers() {
        const rows = await rowsOf(
          server,
          `SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('${bookkeeping}')
           AND relname LIKE 'stage%'`,
        )
        return (rows as { relname: string }[]).map(({ relname }) => relname)
      },
      async close() {
        await server.client.query(`DROP TABLE ${table}`)
      },
    }
  }

  test.each(['insert', 'upsert'] as const)('keeps the contract, by %s', async (mode) => {
    expect(await checkSink(() => place(mode))).toEqual([])
  })

  const batch = { batchId: 1, partitions: [['a', 'b'], [], ['c']] }

  /** Writes a batch through the proxy, which is told to cut; gives what the sink did again. */
  async function retriesOf(where: Cut | undefined): Promise<number> {
    const { port } = proxy
    const way = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }
    const under = await place('insert', way)
    const life = await SinkLife.open(under.sink, 1, [])
    proxy.cut(where)
    const receipt = await life.write(batch)
    expect(receipt.records).toBe(3)
    expect(new Set(await under.read())).toEqual(new Set(['a', 'b', 'c']))
    expect(await under.read()).toHaveLength(3)
    await life.close()
    expect(await under.leftovers?.()).toEqual([])
    await under.close?.()
    return life.retries
  }

  test('writes a batch once, wherever its connection is lost', async () => {
    expect(await retriesOf(undefined)).toBe(0)
    const { pieces } = proxy
    expect(pieces).toBeGreaterThan(10)
    const all = Array.from({ length: pieces }, (_, i) => i + 1).flatMap((at) => [
      { at, passed: false },
      { at, passed: true },
    ])
    let cuts = 0
    let retries = 0
    for (const where of all) {
      retries += await retriesOf(where)
      cuts += Number(proxy.isCut)
    }
    // The last pieces are of the close, and a farewell needs no answer.
    expect(cuts).toBeGreaterThan(all.length / 2)
    expect(retries).toBeGreaterThan(all.length / 2)
  })

  test('writes while a driver that was taken over stands within a COPY', async () => {
    const under = await place('insert')
    const old = await SinkLife.open(under.sink, 1, [])
    const [stage] = (await under.leftovers?.()) ?? []
    const zombie = new pg.Client({ connectionString: server.url })
    await zombie.connect()
    await zombie.query(`BEGIN; LOCK TABLE m_${places}."${stage}" IN ROW EXCLUSIVE MODE`)
    const next = await SinkLife.open(under.sink, 2, [])
    await next.write(batch)
    expect(await under.read()).toEqual(['a', 'b', 'c'])
    await zombie.end()
    await next.close()
    await old.close()
    expect(await under.leftovers?.()).toEqual([])
    await under.close?.()
  })
})
