// What goes into a column comes out of it.

import fc from 'fast-check'
import { postgres } from 'millrace/sinks/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { SinkLife } from '../../src/testing/sink-life.ts'
import {
  hasPostgres,
  type PostgresServer,
  rowsOf,
  startPostgres,
} from '../integration/postgres-server.ts'

const SEED = 20_261_124
const NUL = String.fromCharCode(0)

// PostgreSQL has no zero character, UTF-8 no half of a surrogate pair.
const text = fc
  .oneof(
    fc.string({ unit: 'grapheme' }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '\\N', '\\.', '\t\n\r\b\\x', 'NULL', '{}', '"', "'", 'a,b', ' '),
  )
  .filter((one) => !one.includes(NUL) && one.isWellFormed())
const number = fc.double()
const bigint = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
// From 4713 BC on, to the last that a Date knows.
const date = fc.date({ min: new Date('-004700-01-01'), noInvalidDate: true })
const bytes = fc.uint8Array()
const json = fc
  .jsonValue({ maxDepth: 3 })
  .filter((one) => one !== null && !/\\u0000|\\ud[89a-f]/i.test(JSON.stringify(one)))
const flat = <V>(one: fc.Arbitrary<V>) => fc.array(fc.option(one), { maxLength: 4 })
const square = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }))
  .chain(([rows, columns]) => {
    const of = { minLength: columns, maxLength: columns }
    return fc.array(fc.array(text, of), { minLength: rows, maxLength: rows })
  })

const arbitraries = {
  text: fc.option(text),
  float8: fc.option(number),
  int8: fc.option(bigint),
  numeric: fc.option(bigint),
  boolean: fc.option(fc.boolean()),
  timestamptz: fc.option(date),
  bytea: fc.option(bytes),
  json: fc.option(json),
  jsonb: fc.option(json),
  'text[]': fc.option(flat(text)),
  'text[][]': fc.option(square),
  'float8[]': fc.option(flat(number)),
  'boolean[]': fc.option(flat(fc.boolean())),
  'timestamptz[]': fc.option(flat(date)),
  'bytea[]': fc.option(flat(bytes)),
  'jsonb[]': fc.option(flat(json)),
}
type Type = keyof typeof arbitraries
const types = Object.keys(arbitraries) as Type[]

/** A value as PostgreSQL's client gives it, or as it was given, in a form that both share. */
function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  return value
}

/** As jsonb has it: equal but for the order of names, and -0 is 0. */
function plainJson(value: unknown): unknown {
  return value === null ? null : (JSON.parse(JSON.stringify(value)) as unknown)
}

describe.skipIf(!hasPostgres())('types', { timeout: 120_000 }, () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres()
    const columns = types.map((type) => `"${type}" ${type}`).join(', ')
    await server.client.query(`CREATE TABLE typed (id integer, ${columns})`)
    await server.client.query('CREATE DOMAIN counted AS jsonb CHECK (VALUE IS NOT NULL)')
    await server.client.query('CREATE TABLE domains (a counted, b varchar(3), c date)')
  })
  afterAll(() => server.close())

  const write = async (table: string, columns: string[], records: object[], id: number) => {
    const sink = postgres<unknown>({ connection: server.url, table, columns, bookkeeping: table })
    const life = await SinkLife.open(() => sink, id, [])
    await life.write({ batchId: id, partitions: [records] })
    await life.close()
  }

  test('of every column go round', async () => {
    let epoch = 0
    const record = fc.record(arbitraries)
    const property = fc.asyncProperty(fc.array(record, { maxLength: 30 }), async (records) => {
      epoch += 1
      await server.client.query('TRUNCATE typed')
      const numbered = records.map((one, id) => ({ ...one, id }))
      await write('typed', ['id', ...types], numbered, epoch)
      const rows = (await rowsOf(server, 'SELECT * FROM typed ORDER BY id')) as Record<
        Type,
        unknown
      >[]
      expect(rows).toHaveLength(records.length)
      for (const [i, row] of rows.entries()) {
        for (const type of types) {
          const form = type.startsWith('json') ? plainJson : plain
          expect(form(row[type]), type).toEqual(form(records[i]?.[type]))
        }
      }
    })
    await fc.assert(property, { numRuns: 20, seed: SEED })
  })

  test('domains and types with a length are what they are made of', async () => {
    await write('domains', ['a', 'b', 'c'], [{ a: ['x'], b: 'abc', c: new Date(0) }], 1)
    expect(await rowsOf(server, 'SELECT a, b, c::text FROM domains')).toEqual([
      { a: ['x'], b: 'abc', c: '1970-01-01' },
    ])
  })

  test.each<[string, Type, unknown, RegExp]>([
    ['half a surrogate pair', 'text', 'a\ud800', /half a surrogate pair/],
    ['a zero character', 'text', `a${NUL}`, /record 0 of .*0x00/],
    ['an object', 'text', {}, /json or jsonb only/],
    ['an array', 'text', [1], /json or jsonb only/],
    ['a function', 'jsonb', () => 1, /cannot be written as JSON/],
    ['a symbol', 'text', Symbol('a'), /a symbol is no value/],
    ['a Date that is none', 'timestamptz', new Date(NaN), /not valid/],
    ['a text as an array', 'text[]', 'a', /the column is an array/],
  ])('%s in a column of type %s is refused by name', async (_what, type, value, message) => {
    await server.client.query('DROP SCHEMA IF EXISTS typed CASCADE')
    const failed = write('typed', [type], [{ [type]: value }], 1)
    await expect(failed).rejects.toMatchObject({ code: 'SINK_FAILED' })
    await expect(failed).rejects.toThrow(message)
  })
})
