// Operators over all partitions at once: the partitions, or what stands for them, come to one
// worker, and the results go to the workers that own them.

import { type Column, columnBuffers, fromColumn, toColumn } from '../batch/columns.ts'
import type { Records } from '../batch/records.ts'
import { ownersOf, type Spread, spreadBy } from '../batch/spread.ts'
import type { Parcel, Peers } from './peers.ts'
import { otherWorkers } from './routing.ts'

/** The function of an exchange, and the number of partitions that it gives. */
export interface ExchangeFunction {
  readonly f: (parents: readonly (readonly Records<unknown>[])[]) => unknown[][]
  readonly counts: (parents: readonly number[]) => number
}

type Parts = Spread<readonly unknown[]>

/** The worker at which partitions meet. */
const MEETING = 0

/** Runs `f` over all partitions of all parents, and gives each worker its share of the result. */
export async function runExchange(
  parents: readonly Parts[],
  { f, counts }: ExchangeFunction,
  peers: Peers,
  operator: string,
): Promise<Parts> {
  const gathered = await gather(parents, peers, operator)
  const partitions = counts(parents.map(({ owners }) => owners.length))
  const owners = ownersOf(partitions, peers.workers)
  const made = gathered === undefined ? undefined : f(gathered)
  const mine = peers.workers === 1 ? made : await scatter(made, owners, peers, operator)
  return spreadBy(owners, peers.self, (partition) => mine?.[partition] ?? [])
}

/** All partitions, on the worker at which they meet; undefined on the others. */
async function gather(
  parents: readonly Parts[],
  peers: Peers,
  operator: string,
): Promise<readonly (readonly Records<unknown>[])[] | undefined> {
  const atMeeting = peers.self === MEETING
  const others = otherWorkers(peers)
  if (others.length === 0) return parents.map(({ parts }) => parts.map((part) => part ?? []))
  const own = parents.flatMap(({ parts }) =>
    parts.flatMap((part) => (part === undefined ? [] : [part])),
  )
  const parcels = atMeeting ? [] : [parcelOf(own, operator)]
  const contents = await peers.swap(parcels, atMeeting ? others : [])
  if (!atMeeting) return undefined
  const arrived = contents.map((content) => openParcel(content as Column[] | undefined))
  return parents.map(({ owners, parts }) =>
    owners.map((owner, i) => parts[i] ?? (arrived[owner]?.shift() as unknown[])),
  )
}

/** Gives each worker the partitions that it owns. */
async function scatter(
  made: unknown[][] | undefined,
  owners: readonly number[],
  peers: Peers,
  operator: string,
): Promise<unknown[][]> {
  const parcels = Array.from({ length: peers.workers }, (_, worker) =>
    made === undefined || worker === peers.self
      ? undefined
      : parcelOf(
          made.filter((_part, i) => owners[i] === worker),
          operator,
        ),
  )
  const contents = await peers.swap(parcels, made === undefined ? [MEETING] : [])
  if (made !== undefined) return made
  const arrived = openParcel(contents[MEETING] as Column[])
  return owners.map((owner) => (owner === peers.self ? (arrived.shift() as unknown[]) : []))
}

function parcelOf(parts: readonly (readonly unknown[])[], operator: string): Parcel {
  const content = parts.map((part) => toColumn(part, `the records of "${operator}"`))
  return { content, buffers: content.flatMap(columnBuffers) }
}

function openParcel(columns: readonly Column[] | undefined): unknown[][] {
  return (columns ?? []).map(fromColumn)
}
