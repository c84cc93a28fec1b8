// Compares the files and the tables of `kill` with what the producer sent, and with each other.

import { join } from 'node:path'
import { batchesIn } from './files-batches.ts'
import { customerOf, KILL_WINDOW } from './kill-pipeline.ts'

/** Throws unless every order and payment counts once, everywhere. */
export function checkKilled(out: string, ordered: number, paid: number): void {
  const orders = batchesIn(join(out, 'orders')) as Map<number, string[]>
  once('orders', [...orders.values()].flat(), ordered)
  once('paid', [...batchesIn(join(out, 'paid')).values()].flat() as string[], paid)
  const totals = new Map<string, number>()
  const allTotals = batchesIn(join(out, 'totals'))
  const windows = batchesIn(join(out, 'window'))
  const last = Math.max(...allTotals.keys())
  for (let batch = 1; batch <= last; batch += 1) {
    add(totals, orders.get(batch) ?? [])
    same(`totals of batch ${batch}`, allTotals.get(batch), totals)
    const window = new Map<string, number>()
    for (let i = batch - KILL_WINDOW + 1; i <= batch; i += 1) add(window, orders.get(i) ?? [])
    same(`window of batch ${batch}`, windows.get(batch), window)
  }
}

/** What is asked of a client of PostgreSQL. */
interface Asked {
  query(text: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
}

/** Throws unless every order is in the table once, and every customer has the right total. */
export async function checkTables(client: Asked, ordered: number): Promise<void> {
  const orders = await client.query('SELECT number::text AS number FROM orders')
  once(
    'table orders',
    orders.rows.map((row) => String(row['number'])),
    ordered,
  )
  const should = new Map<string, number>()
  add(
    should,
    Array.from({ length: ordered }, (_, i) => String(i)),
  )
  const totals = await client.query('SELECT customer, n::int AS n FROM totals')
  same(
    'table totals',
    totals.rows.map((row) => [row['customer'], row['n']]),
    should,
  )
}

/** Each number below `count` once. */
function once(what: string, found: readonly string[], count: number): void {
  const times = new Map<string, number>()
  for (const one of found) times.set(one, (times.get(one) ?? 0) + 1)
  const doubled = [...times].filter(([, n]) => n > 1).map(([one]) => one)
  const sent = Array.from({ length: count }, (_, i) => String(i))
  const lost = sent.filter((one) => !times.has(one))
  const foreign = times.size - (count - lost.length)
  if (lost.length + doubled.length + foreign === 0) return
  throw new Error(
    `${what}: ${count} were sent; ${lost.length} lost (${lost.slice(0, 5).join()}), ` +
      `${doubled.length} doubled (${doubled.slice(0, 5).join()}), ${foreign} never sent`,
  )
}

function add(counts: Map<string, number>, orders: readonly string[]): void {
  for (const order of orders) {
    const customer = customerOf(order)
    counts.set(customer, (counts.get(customer) ?? 0) + 1)
  }
}

/** A batch that has no output had nothing to give. */
function same(
  what: string,
  found: readonly unknown[] | undefined,
  counts: ReadonlyMap<string, number>,
): void {
  const text = (pairs: Iterable<unknown>) =>
    [...pairs].map((pair) => JSON.stringify(pair)).sort((a, b) => (a < b ? -1 : Number(a > b)))
  const has = text(found ?? []).join(' ')
  const should = text(counts).join(' ')
  if (has !== should) throw new Error(`${what}: must be ${should}, got ${has}`)
}
