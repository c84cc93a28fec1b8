// A checkpoint as a process left it that was killed, and what a start makes of it once one of its
// objects has changed: the right results, or a refusal, and never in silence.

import { MemoryStore } from 'millrace/testing'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import { codeOf } from '../../src/errors.ts'
import { checkOutputs, type Life, live, MemorySinks } from './lives.ts'
import { type Expected, type WrittenInput, writtenInput } from './written-input.ts'
import { WRITTEN, type WrittenName } from './written-pipelines.ts'

/** The bytes of a checkpoint's objects. */
export type Objects = ReadonlyMap<string, Buffer>

/** Objects that grow, as files do, or that do not, as in a bucket. */
export type StoreKind = 'memory' | 'memory-objects'

function storeOf(kind: StoreKind): MemoryStore {
  return new MemoryStore(undefined, { appends: kind === 'memory' })
}

/** A checkpoint to damage. */
export interface Fixture {
  readonly kind: StoreKind
  readonly name: WrittenName
  readonly input: WrittenInput
  readonly expected: Expected
  readonly objects: Objects
  /** The newest batch that is committed in it. */
  readonly last: number
  /** The lengths that an object had while it was written, with the newest batch that was complete
   * then. */
  readonly lengths: ReadonlyMap<string, ReadonlyMap<number, number>>
}

const LIVES = [4, 8, 13] as const
const SNAPSHOT_EVERY = 5
const LAST = LIVES[2]

/** What became of a damaged checkpoint. */
export type Outcome = 'refused' | 'warned' | 'unharmed' | 'as it was before'

/** Makes a checkpoint of a pipeline with state that has at least `bytes` bytes. */
export async function fixtureOf(
  name: 'counted' | 'joined',
  bytes: number,
  kind: StoreKind,
): Promise<Fixture> {
  for (let records = 4; ; records = Math.ceil(records * 1.3)) {
    const fixture = await fixtureWith(name, records, kind)
    if (bytesOf(fixture.objects) >= bytes) return fixture
  }
}

/** How many bytes the objects have in all. */
export function bytesOf(objects: Objects): number {
  return [...objects.values()].reduce((n, bytes) => n + bytes.length, 0)
}

/** Makes a checkpoint of three lives with two snapshots, of batches of `records` records. */
export async function fixtureWith(
  name: WrittenName,
  records: number,
  kind: StoreKind,
): Promise<Fixture> {
  const input = writtenInput(LAST + 2, records)
  const expected = WRITTEN[name].expected(input)
  const inner = storeOf(kind)
  const sinks = new MemorySinks()
  const lengths = new Map<string, Map<number, number>>()
  let completed = 0
  const store = watched(inner, (object, length) => {
    const known = lengths.get(object) ?? new Map<number, number>()
    lengths.set(object, known.set(length, completed))
  })
  const onCompleted = (batchId: number) => {
    completed = batchId
  }
  let objects: Objects = new Map()
  let from = 0
  for (const to of LIVES) {
    const beforeStop = async () => {
      objects = await objectsOf(inner)
    }
    const common = { name, input, store, sinkOf: sinks.sinkOf, onCompleted, beforeStop }
    const life = await live({ ...common, from, to, snapshotEvery: SNAPSHOT_EVERY })
    if (life.error !== undefined) throw life.error
    from = to
  }
  checkOutputs(name, expected, (output) => sinks.batches(output), range(1, LAST))
  return { name, kind, input, expected, objects, last: LAST, lengths }
}

/** Passes on every call, and tells how long an object is after an append. */
function watched(
  inner: MemoryStore,
  onLength: (name: string, length: number) => void,
): CheckpointStore {
  return new Proxy<CheckpointStore>(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const result: unknown = await Reflect.apply(value, target, args)
        if (property === 'append' || property === 'createIfAbsent') {
          const [name] = args as [string]
          onLength(name, (await inner.read(name))?.length ?? 0)
        }
        return result
      }
    },
  })
}

async function objectsOf(store: MemoryStore): Promise<Objects> {
  const objects = new Map<string, Buffer>()
  for (const name of await store.list('')) {
    objects.set(name, Buffer.from((await store.read(name)) ?? []))
  }
  return objects
}

/** One object, changed. */
export interface Damage {
  readonly object: string
  readonly bytes: Buffer
  /** Set where the object is as it was at an earlier time: nobody can tell, and the newest batch
   * that was complete then may be the newest one. */
  readonly asOf?: number
}

/** Starts from the checkpoint with `damage`, runs one batch more, and says what happened. Rejects
 * if results are wrong, or something is lost in silence. */
export async function restoreDamaged(fixture: Fixture, damage: Damage): Promise<Outcome> {
  const { name, input, last } = fixture
  const store = storeOf(fixture.kind)
  for (const [object, bytes] of fixture.objects) {
    await store.createIfAbsent(object, object === damage.object ? damage.bytes : bytes)
  }
  const sinks = new MemorySinks()
  const common = { name, input, store, sinkOf: sinks.sinkOf, snapshotEvery: SNAPSHOT_EVERY }
  const life = await live({ ...common, from: last, to: last + 1 })
  const outcome = judge(fixture, damage, life)
  if (outcome === 'refused') return outcome
  const ids = range((life.recovered ?? 0) + 1, last + 1)
  checkOutputs(name, fixture.expected, (output) => sinks.batches(output), ids)
  return outcome
}

function judge({ last }: Fixture, { asOf }: Damage, life: Life): Outcome {
  const { error, recovered, warnings } = life
  if (error !== undefined) {
    if (codeOf(error) === 'CHECKPOINT_CORRUPT') return 'refused'
    throw new Error('The start must resume or say that the checkpoint is damaged', { cause: error })
  }
  if (warnings.length > 0) return 'warned'
  if (recovered === last) return 'unharmed'
  if (asOf !== undefined && (recovered ?? 0) >= asOf) return 'as it was before'
  throw new Error(`It went back to batch ${recovered} of ${last} in silence`)
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}
