// What a batch changed, or a piece of a snapshot, as bytes: an entry. It lists, for each operator,
// what every worker knows alike and the bytes of each partition, which is a range of key groups. So
// it does not say how many workers there were, and a run with another number reads what it needs.
// docs/format.md has the bytes.

import { Packr } from 'msgpackr'
import { decode, encode } from '../batch/codec.ts'
import { ownerOf, type Seat } from '../batch/spread.ts'
import type { StreamGraph } from '../dstream/graph.ts'
import { hashedWindows } from '../dstream/hashed-windows.ts'
import { statefulOperators } from '../dstream/operator-ids.ts'
import type { OperatorChange } from './stateful-operator.ts'

/** What an entry says of one operator. */
type Group = readonly [
  id: string,
  shared: unknown,
  partitions: number,
  parts: readonly (readonly [partition: number, bytes: Uint8Array])[],
]

/** What an operator changed, by its id. */
export type Change = readonly [id: string, change: OperatorChange]

/** An operator that keeps something, as entries have it. */
export interface EntryOperator {
  readonly id: string
  /** Each worker reads all partitions: a window that is read by key may have to spread anew what
   * was kept before it was. */
  readonly whole: boolean
}

/** The operators of a graph that entries tell of, in their order. */
export function entryOperators(graph: StreamGraph): EntryOperator[] {
  const hashed = hashedWindows(graph)
  return statefulOperators(graph).map(({ id, node }) => ({ id, whole: hashed.has(node) }))
}

/** Of what is read, byte arrays are views. */
const packr = new Packr({ useRecords: false })

/** The changes of one worker's operators as one entry that owns its memory. */
export function toEntry(changes: readonly Change[]): Uint8Array {
  return packed(changes.map(toGroup))
}

/** As `toEntry`, of the next changes alone: until they take `bytesMin`, or there are no more. */
export function nextEntry(changes: Iterator<Change, void>, bytesMin: number): Uint8Array {
  const groups: Group[] = []
  for (let bytes = 0; bytes < bytesMin; ) {
    const { value } = changes.next()
    if (value === undefined) break
    const group = toGroup(value)
    groups.push(group)
    bytes += group[3].reduce((n, [, part]) => n + part.length, 0)
  }
  return packed(groups)
}

/** The entries of all workers as one: the same bytes, however many workers there are. */
export function joinEntries(
  entries: readonly Uint8Array[],
  operators: readonly EntryOperator[],
): Uint8Array | undefined {
  const [only, ...more] = entries
  if (more.length === 0) return only
  const groups = entries.flatMap(groupsOf)
  const joined = operators.flatMap(({ id }): Group[] => {
    const same = groups.filter((group) => group[0] === id)
    const [first] = same
    if (first === undefined) return []
    const parts = same.flatMap((group) => group[3]).sort(([a], [b]) => a - b)
    return [[id, first[1], first[2], parts]]
  })
  return packed(joined)
}

/** An entry with what one worker reads of it. */
export function ownEntry(entry: Uint8Array, seat: Seat, operators: readonly EntryOperator[]) {
  return packed(groupsOf(entry).map((group) => withOwn(group, seat, operators)))
}

/** Takes an entry apart: what it says of each operator to one worker. */
export function fromEntry(
  entry: Uint8Array,
  seat: Seat,
  operators: readonly EntryOperator[],
): Change[] {
  return groupsOf(entry).map((group) => {
    const [id, shared, partitions, parts] = withOwn(group, seat, operators)
    const opened = parts.map(([p, bytes]) => [p, decode(bytes)] as const)
    return [id, { shared, partitions, parts: opened }]
  })
}

function toGroup([id, { shared, partitions, parts }]: Change): Group {
  const what = `what "${id}" keeps`
  const bytes = parts.map(([p, change]) => [p, new Uint8Array(encode(change, what))] as const)
  return [id, shared, partitions, bytes]
}

function withOwn(group: Group, seat: Seat, operators: readonly EntryOperator[]): Group {
  const [id, shared, partitions, parts] = group
  if (operators.some((one) => one.whole && one.id === id)) return group
  const own = parts.filter(([p]) => ownerOf(p, partitions, seat.workers) === seat.self)
  return [id, shared, partitions, own]
}

function groupsOf(entry: Uint8Array): readonly Group[] {
  return packr.unpack(entry) as readonly Group[]
}

/** In memory of its own: what MessagePack gives is part of a greater buffer. */
function packed(groups: readonly Group[]): Uint8Array {
  return new Uint8Array(packr.pack(groups))
}
