// What `reshard` runs: two streams of Kinesis to state, windows and joins. Two outputs hold every
// record with its shard, so that the others can be computed from them.

import type { Sink } from 'millrace'
import { type DStream, type Pipeline, pipeline, type Source, type State } from 'millrace'
import type { KinesisRecord } from 'millrace/kinesis'

export const INTERVAL_MS = 1_000
/** Lengths of the windows, in batches. */
export const COUNTED = 4
export const JOINED = 3

/** The streams: an order is paid by a payment of the same number. */
export const STREAMS = ['orders', 'payments'] as const
export type StreamName = (typeof STREAMS)[number]

/** All outputs. */
export const OUTPUTS = [...STREAMS, 'totals', 'window', 'paid', 'waiting', 'met'] as const
export type OutputName = (typeof OUTPUTS)[number]

/** What the pipeline is built with. */
export interface TwoStreamsArgs {
  readonly sourceOf: (stream: StreamName) => Source<KinesisRecord>
  readonly sinkOf: (output: OutputName) => Sink<unknown>
}

const PARTITIONS = { partitions: 2 }

/** A record as the first two outputs have it. */
export interface Arrived {
  readonly shard: string
  /** Partition key. */
  readonly key: string
  readonly number: string
}

type Sided = [number: string, side: StreamName]

/** The pipeline. */
export const twoStreams: Pipeline<TwoStreamsArgs> = pipeline(
  'reshard',
  { batchInterval: INTERVAL_MS, checkpoint: false },
  (ssc, { sourceOf, sinkOf }: TwoStreamsArgs) => {
    const arrivedOf = (stream: StreamName): DStream<Arrived> => {
      const arrived = ssc.receive(sourceOf(stream)).map(
        (record): Arrived => ({
          shard: record.shardId,
          key: record.partitionKey,
          number: record.text().trimEnd(),
        }),
      )
      arrived.writeTo(sinkOf(stream))
      return arrived
    }
    const orders = arrivedOf('orders')
    const payments = arrivedOf('payments')
    countByKey(orders, sinkOf)
    const ordered = orders.map(({ number }): Sided => [number, 'orders'])
    const paid = payments.map(({ number }): Sided => [number, 'payments'])
    const pairs = ordered.union(paid).mapWithState(pay, PARTITIONS)
    pairs.filter((pair) => pair !== undefined).writeTo(sinkOf('paid'))
    pairs.stateSnapshots().writeTo(sinkOf('waiting'))
    const lastMs = JOINED * INTERVAL_MS
    ordered.window(lastMs).join(paid.window(lastMs), PARTITIONS).writeTo(sinkOf('met'))
  },
)

function countByKey(orders: DStream<Arrived>, sinkOf: TwoStreamsArgs['sinkOf']): void {
  const ones = orders.map(({ key }): [string, number] => [key, 1])
  ones
    .updateStateByKey((ns: number[], n: number | undefined) => (n ?? 0) + ns.length, PARTITIONS)
    .writeTo(sinkOf('totals'))
  const positive = { ...PARTITIONS, filter: ([, n]: readonly [string, number]) => n > 0 }
  ones
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      COUNTED * INTERVAL_MS,
      INTERVAL_MS,
      positive,
    )
    .writeTo(sinkOf('window'))
}

/** Gives the number of an order that is paid; what waits for its partner is state. */
function pay(number: string, side: string | undefined, waiting: State<string>): string | undefined {
  if (!waiting.exists()) waiting.update(side ?? '')
  else if (waiting.get() === side) return `${number} twice by ${side}`
  else {
    waiting.remove()
    return number
  }
  return undefined
}
