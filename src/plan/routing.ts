// The shuffle: pairs of each source partition, brought to the partition of their key, wherever that
// is.
//
// Order is defined: a target partition gets the pairs of the source partitions one after the other,
// in the order of the sources, each in the order of its offsets.

import { type Column, columnBuffers, fromColumn, toColumn } from '../batch/columns.ts'
import { PairRecords } from '../batch/pair-records.ts'
import { pairColumns } from '../batch/record-columns.ts'
import type { Partition } from '../batch/records.ts'
import { ownersOf, type Spread, spreadBy } from '../batch/spread.ts'
import type { Parcel, Peers } from './peers.ts'

/** The pairs of one source partition as columns, by target partition. */
export class Router {
  readonly keys: readonly unknown[][]
  readonly values: readonly unknown[][]

  constructor(targets: number) {
    this.keys = Array.from({ length: targets }, () => [])
    this.values = Array.from({ length: targets }, () => [])
  }
}

/** The pairs that one worker owes another: those of its source partitions, in order, each by the
 * target partitions of the other, in order. */
interface RoutedColumns {
  readonly keys: Column
  readonly values: Column
  /** How many pairs: source partitions × target partitions. */
  readonly counts: Uint32Array
}

/** For each target partition, the pairs of each source partition. */
export type Routed = Spread<readonly PairRecords[]>

/** Brings the routed pairs of all source partitions to their targets. */
export async function deliver(
  sources: Spread<Router>,
  targets: number,
  peers: Peers,
  what: string,
): Promise<Routed> {
  const owners = ownersOf(targets, peers.workers)
  const others = otherWorkers(peers)
  const parcels = Array.from({ length: peers.workers }, (_, worker) =>
    worker === peers.self ? undefined : pack(sources, owners, worker, what),
  )
  const contents = others.length === 0 ? [] : await peers.swap(parcels, others)
  const arrived = others.map((worker) =>
    unpack(contents[worker] as RoutedColumns, sources.owners, owners, { worker, self: peers.self }),
  )
  return spreadBy(owners, peers.self, (target) =>
    sources.owners.map((owner, source) => {
      if (owner !== peers.self) return pairsFrom(arrived, source, target)
      const router = sources.parts[source] as Router
      return new PairRecords(router.keys[target] ?? [], router.values[target] ?? [])
    }),
  )
}

/** Pairs that a shuffle laid out before, once or several times: those of partition i belong to
 * target i modulo `targets`. */
export function asRouted(
  laidOut: Spread<Partition<unknown>>,
  targets: number,
  { workers, self }: Peers,
): Routed {
  const chunks = laidOut.parts.map((part) => part && pairColumns(part))
  return spreadBy(ownersOf(targets, workers), self, (target) =>
    chunks.flatMap((chunk, i) => (chunk !== undefined && i % targets === target ? [chunk] : [])),
  )
}

/** The workers of a run but this one. */
export function otherWorkers({ workers, self }: Peers): number[] {
  return Array.from({ length: workers }, (_, worker) => worker).filter((worker) => worker !== self)
}

function pack(
  sources: Spread<Router>,
  owners: readonly number[],
  worker: number,
  what: string,
): Parcel {
  const mine = sources.parts.filter((part) => part !== undefined)
  const theirs = partitionsOf(owners, worker)
  const counts = new Uint32Array(mine.length * theirs.length)
  const keys: unknown[][] = []
  const values: unknown[][] = []
  mine.forEach((router, s) => {
    theirs.forEach((target, t) => {
      const column = router.keys[target] ?? []
      counts[s * theirs.length + t] = column.length
      keys.push(column)
      values.push(router.values[target] ?? [])
    })
  })
  const columns = {
    keys: toColumn(concat(keys), `the keys of ${what}`),
    values: toColumn(concat(values), `the values of ${what}`),
    counts,
  }
  const buffers = [columnBuffers(columns.keys), columnBuffers(columns.values)].flat(1)
  return { content: columns, buffers: [...buffers, counts.buffer] }
}

type Arrived = ReadonlyMap<number, ReadonlyMap<number, PairRecords>>

function unpack(
  { keys, values, counts }: RoutedColumns,
  sourceOwners: readonly number[],
  targetOwners: readonly number[],
  between: { readonly worker: number; readonly self: number },
): Arrived {
  const allKeys = fromColumn(keys)
  const allValues = fromColumn(values)
  const theirs = partitionsOf(sourceOwners, between.worker)
  const mine = partitionsOf(targetOwners, between.self)
  let start = 0
  return new Map(
    theirs.map((source, s) => [
      source,
      new Map(
        mine.map((target, t) => {
          const end = start + (counts[s * mine.length + t] ?? 0)
          const pairs = new PairRecords(allKeys.slice(start, end), allValues.slice(start, end))
          start = end
          return [target, pairs]
        }),
      ),
    ]),
  )
}

function pairsFrom(arrived: readonly Arrived[], source: number, target: number): PairRecords {
  for (const from of arrived) {
    const pairs = from.get(source)?.get(target)
    if (pairs !== undefined) return pairs
  }
  throw new Error(`millrace bug: no worker sent partition ${source}`)
}

function partitionsOf(owners: readonly number[], worker: number): number[] {
  return owners.flatMap((owner, partition) => (owner === worker ? [partition] : []))
}

function concat(columns: readonly (readonly unknown[])[]): readonly unknown[] {
  return columns.length === 1 ? (columns[0] ?? []) : columns.flat(1)
}
