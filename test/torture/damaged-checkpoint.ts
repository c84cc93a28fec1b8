// A checkpoint as a process left it that was killed, and what a start makes of it once one of its
// objects has changed: the right results, or a refusal, and never in silence. What is silence shows
// beside a start on the checkpoint as it was: how far that one goes, which objects it reads, and
// what it logs although nothing is damaged.

import { MemoryStore } from 'millrace/testing'
import { type Opening, snapshotBatchOf } from '../../src/checkpoint/format.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import { codeOf } from '../../src/errors.ts'
import { checkOutputs, type Life, live, MemorySinks } from './lives.ts'
import { newestOpeningOf, openLog } from './opened-log.ts'
import { type Expected, type WrittenInput, writtenInput } from './written-input.ts'
import { INTERVAL_MS, WRITTEN, type WrittenName } from './written-pipelines.ts'

/** The bytes of a checkpoint's objects. */
export type Objects = ReadonlyMap<string, Buffer>

/** Objects that grow, as files do, or that do not, as in a bucket. */
export type StoreKind = 'memory' | 'memory-objects'

/** Two starts on one checkpoint say the same, so each has the same name. */
function storeOf({ kind, name }: Pick<Fixture, 'kind' | 'name'>): MemoryStore {
  return new MemoryStore(name, { appends: kind === 'memory' })
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
  /** What its newest run declared. */
  readonly opening: Opening
  /** What a start makes of it as it is. */
  readonly unharmed: Life
  /** The objects that such a start reads. */
  readonly needed: ReadonlySet<string>
  /** The newest batch of which there is a snapshot. */
  readonly newestSnapshot: number
}

const LIVES = [4, 8, 13] as const
const SNAPSHOT_EVERY = 5
const LAST = LIVES[2]

/** What became of a damaged checkpoint. */
export type Outcome =
  /** The start said CHECKPOINT_CORRUPT, and named the object. */
  | 'refused'
  /** It named the object in a warning, and nothing was lost. */
  | 'warned'
  /** The same, and it went back, by one snapshot at most. */
  | 'warned and went back'
  /** No start reads the object: there is a newer one in its place. */
  | 'not needed'
  /** The object is as it was at an earlier time, and the start went on from there: within one
   * snapshot. */
  | 'as it was before'

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
  const inner = storeOf({ kind, name })
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
  const made = { name, kind, input, expected, objects, last: LAST, lengths }
  const { life, read } = await restoreWhole(made)
  const opening = newestOpeningOf(objects)
  const newestSnapshot = newestSnapshotOf(objects)
  return { ...made, opening, unharmed: life, needed: read, newestSnapshot }
}

type Made = Omit<Fixture, 'opening' | 'unharmed' | 'needed' | 'newestSnapshot'>

/** Starts from the checkpoint as it is. */
async function restoreWhole(made: Made): Promise<{ life: Life; read: ReadonlySet<string> }> {
  const store = await copyOf(made)
  const read = new Set<string>()
  const reading = new Proxy<CheckpointStore>(store, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (property === 'read') read.add(String(args[0]))
        return Reflect.apply(value, target, args)
      }
    },
  })
  const life = await resume(made, reading, new MemorySinks())
  if (life.error !== undefined) throw life.error
  return { life, read }
}

function newestSnapshotOf(objects: Objects): number {
  return Math.max(0, ...[...objects.keys()].map((name) => snapshotBatchOf(name) ?? 0))
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
 * if results are wrong, if something is lost in silence, or more than since the newest snapshot. */
export async function restoreDamaged(fixture: Fixture, damage: Damage): Promise<Outcome> {
  const sinks = new MemorySinks()
  const life = await resume(fixture, await copyOf(fixture, damage), sinks)
  const outcome = judge(fixture, damage, life)
  if (outcome !== 'refused') checkSinks(fixture, life, sinks)
  return outcome
}

/** Does the same, but runs a batch only where the log gives what it did not give before after
 * damage to this object: what follows depends on nothing else. Where it does run, it must have read
 * what the log gave. */
export class DamagedLogs {
  readonly #lived = new Set<string>()

  async restore(fixture: Fixture, damage: Damage): Promise<Outcome> {
    const store = await copyOf(fixture, damage)
    const opened = await openLog(store, fixture.opening, fixture.last * INTERVAL_MS)
    const outcome = judge(fixture, damage, opened.life)
    const key = `${fixture.name} ${damage.object} ${outcome} ${opened.digest}`
    if (this.#lived.has(key)) return outcome
    this.#lived.add(key)
    const sinks = new MemorySinks()
    const life = await resume(fixture, await copyOf(fixture, damage), sinks)
    if (whatIsRead(life) !== whatIsRead(opened.life)) {
      throw new Error(`A start read ${whatIsRead(life)}, and its log ${whatIsRead(opened.life)}`)
    }
    if (outcome !== 'refused') checkSinks(fixture, life, sinks)
    return outcome
  }
}

function whatIsRead({ recovered, redone, warnings, error }: Life): string {
  return JSON.stringify([recovered, redone, warnings, codeOf(error)])
}

function checkSinks({ name, expected, last }: Fixture, life: Life, sinks: MemorySinks): void {
  const ids = range((life.recovered ?? 0) + 1, last + 1)
  checkOutputs(name, expected, (output) => sinks.batches(output), ids)
}

async function copyOf(made: Made, damage?: Damage): Promise<MemoryStore> {
  const store = storeOf(made)
  for (const [object, bytes] of made.objects) {
    await store.createIfAbsent(object, object === damage?.object ? damage.bytes : bytes)
  }
  return store
}

function resume(
  { name, input, last }: Made,
  store: CheckpointStore,
  sinks: MemorySinks,
): Promise<Life> {
  const common = { name, input, store, sinkOf: sinks.sinkOf, snapshotEvery: SNAPSHOT_EVERY }
  return live({ ...common, from: last, to: last + 1 })
}

function judge(fixture: Fixture, { object, asOf }: Damage, life: Life): Outcome {
  const { unharmed, newestSnapshot } = fixture
  if (life.error !== undefined) {
    if (codeOf(life.error) === 'CHECKPOINT_CORRUPT' && names(life.error, object)) return 'refused'
    throw new Error('It must resume or name what is damaged', { cause: life.error })
  }
  const said = life.warnings.filter((text) => !unharmed.warnings.includes(text))
  const isSaid = said.some((text) => text.includes(`"${object}"`))
  const wentBack = reached(life) < reached(unharmed) || life.recovered !== unharmed.recovered
  const where = `It went on from batch ${life.recovered} of ${unharmed.recovered}`
  if (reached(life) < newestSnapshot) {
    throw new Error(`${where}, behind the snapshot of ${newestSnapshot}: ${said.join()}`)
  }
  if (isSaid) return wentBack ? 'warned and went back' : 'warned'
  if (asOf !== undefined && (life.recovered ?? 0) >= asOf) return 'as it was before'
  if (!wentBack && !fixture.needed.has(object)) return 'not needed'
  throw new Error(`${where} in silence: ${said.join()}`)
}

/** The newest batch that a start knew of: its own, or one that it does again. */
function reached({ recovered = 0, redone }: Life): number {
  return Math.max(recovered, ...redone)
}

function names(error: unknown, object: string): boolean {
  return error instanceof Error && error.message.includes(`"${object}"`)
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i)
}
