// What `kill` runs: two streams of Kinesis, a window beside state, and a join with a timeout, to
// files and to PostgreSQL. One output holds every record, so that the others can be computed from
// it.

import type { DStream, State, StreamingContext } from 'millrace'
import { kinesis } from 'millrace/kinesis'
import { files } from 'millrace/sinks'
import { postgres } from 'millrace/sinks/postgres'

/** What the pipeline is built with. */
export interface KillPipelineArgs {
  readonly endpoint: string
  readonly out: string
  /** URL of a database with the tables. @default none: files only */
  readonly database: string | undefined
  /** Called when a batch begins to run. */
  readonly onRun: () => void
}

/** The streams: an order is paid by a payment of the same number. */
export const STREAMS = { orders: 'orders', payments: 'payments' } as const

export const KILL_INTERVAL_MS = 200
/** Length of the window, in batches. */
export const KILL_WINDOW = 4
/** Orders have so many customers. */
export const CUSTOMERS = 40

/** The customer of an order. */
export function customerOf(order: string): string {
  return `customer-${(Number(order) * 7) % CUSTOMERS}`
}

export function killPipeline(ssc: StreamingContext, args: KillPipelineArgs): void {
  const { endpoint, out, database, onRun } = args
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const place = { endpoint, credentials, region: 'us-east-1', startAt: 'TRIM_HORIZON' } as const
  const textsOf = (stream: string): DStream<string> =>
    ssc.receive(kinesis({ ...place, stream })).map((record) => record.text())
  const orders = textsOf(STREAMS.orders).transform((batch) => {
    onRun()
    return batch
  })
  orders.writeTo(files(`${out}/orders`))
  const ones = orders.map((order): [string, number] => [customerOf(order), 1])
  const totals = ones.updateStateByKey(
    (ns: number[], n: number | undefined) => (n ?? 0) + ns.length,
  )
  totals.writeTo(files(`${out}/totals`))
  if (database !== undefined) toTables(database, orders, totals)
  const positive = { filter: ([, n]: readonly [string, number]) => n > 0 }
  ones
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      KILL_WINDOW * KILL_INTERVAL_MS,
      KILL_INTERVAL_MS,
      positive,
    )
    .writeTo(files(`${out}/window`))
  sided(orders, 'order')
    .union(sided(textsOf(STREAMS.payments), 'payment'))
    .mapWithState(pay, { timeout: '10m' })
    .filter((paid) => paid !== undefined)
    .writeTo(files(`${out}/paid`))
}

/** The tables that the database must have. */
export const TABLES = [
  'CREATE TABLE orders (number bigint, customer text)',
  'CREATE TABLE totals (customer text PRIMARY KEY, n bigint)',
]

/** A row for each order, and one for each customer. */
function toTables(
  connection: string,
  orders: DStream<string>,
  totals: DStream<[string, number]>,
): void {
  const ofOrder = { number: (order: string) => order, customer: customerOf }
  orders.writeTo(postgres({ connection, table: 'orders', columns: ofOrder }))
  const ofTotal = {
    customer: ([customer]: [string, number]) => customer,
    n: ([, n]: [string, number]) => n,
  }
  const upsert = { mode: 'upsert', key: ['customer'] } as const
  totals.writeTo(postgres({ connection, table: 'totals', columns: ofTotal, ...upsert }))
}

function sided(texts: DStream<string>, side: string): DStream<[string, string]> {
  return texts.map((text): [string, string] => [text, side])
}

/** Gives an order once it is paid. */
function pay(order: string, side: string | undefined, waiting: State<string>): string | undefined {
  if (waiting.isTimingOut()) return `${order} not paid`
  if (!waiting.exists()) waiting.update(side ?? '')
  else if (waiting.get() === side) return `${order} twice by ${side}`
  else {
    waiting.remove()
    return order
  }
  return undefined
}
