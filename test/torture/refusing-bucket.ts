// A bucket that refuses, or takes its time: SlowDown, errors of the service, connections that
// break, answers that get lost, never come or come after 5 s, credentials that expire, a service
// that is gone. One call, some in a row, or all from then on.

import { CheckpointDisk } from './checkpoint-disk.ts'
import { type Bucket, type CallFate, faultyBucket } from './faulty-bucket.ts'
import { HurryingClock } from './hurrying-clock.ts'
import { pickFrom } from './picks.ts'
import { resume } from './resume.ts'
import type { WrittenInput } from './written-input.ts'
import { WRITTEN, type WrittenName } from './written-pipelines.ts'

const FIRST_LIFE = 4
const LATE_MS = 5_000
const NAMES = Object.keys(WRITTEN) as WrittenName[]

type Pick = (below: number) => number

/** A fault, for so many calls in a row. */
interface Fault {
  readonly fate: (pick: Pick) => CallFate
  readonly calls: (pick: Pick) => number
}

const some = (pick: Pick): number => 1 + pick(4)
const allFromThen = (): number => Number.POSITIVE_INFINITY
const refusal = (status: number, name: string) => (): CallFate => {
  return { kind: 'refuses', status, name }
}

const FAULTS: Readonly<Record<string, Fault>> = {
  '503 SlowDown': { fate: refusal(503, 'SlowDown'), calls: some },
  '500': { fate: refusal(500, 'InternalError'), calls: some },
  reset: { fate: (pick) => ({ kind: 'breaks', done: pick(2) === 0 }), calls: some },
  'no answer': { fate: (pick) => ({ kind: 'is silent', done: pick(2) === 0 }), calls: some },
  'answers after 5 s': { fate: () => ({ kind: 'is late', ms: LATE_MS }), calls: some },
  'expired credentials': { fate: refusal(403, 'ExpiredToken'), calls: allFromThen },
  '503 for good': { fate: refusal(503, 'SlowDown'), calls: allFromThen },
  'late for good': { fate: () => ({ kind: 'is late', ms: LATE_MS }), calls: allFromThen },
}
const FAULT_NAMES = Object.keys(FAULTS)

/** About as many calls as the first life makes, and as a start makes. */
const CALLS = 70
const CALLS_OF_A_START = 30

/** Lets calls of a life go wrong; and one of the next start, if it is a fault that passes. */
export async function refuseBucket(seed: number, input: WrittenInput): Promise<string> {
  const pick = pickFrom(seed)
  const name = NAMES[seed % NAMES.length] as WrittenName
  const what = FAULT_NAMES[seed % FAULT_NAMES.length] as string
  const fault = FAULTS[what] as Fault
  const at = 1 + pick(CALLS)
  const again = 1 + pick(CALLS_OF_A_START)
  const passes = fault.calls !== allFromThen
  const checkpoint = new CheckpointDisk(name, input, { kind: 's3' })
  try {
    const from = await begin(checkpoint, name)
    const faulty = meet(fault.fate, at, fault.calls(pick), pick)
    const first = await checkpoint.live({ ...faulty, from, to: FIRST_LIFE })
    const next = passes ? meet(fault.fate, again, 1, pick) : {}
    const outcome = await resume(checkpoint, first, next)
    return `${what}: ${outcome}`
  } catch (cause) {
    throw new Error(`pipeline "${name}", ${what} at call ${at}, then ${again}`, { cause })
  } finally {
    await checkpoint.remove()
  }
}

/** The records of one pipeline name the times of batches, which are others where the start of a
 * checkpoint takes long: it begins with a batch without faults. Gives the newest batch. */
async function begin(checkpoint: CheckpointDisk, name: WrittenName): Promise<number> {
  if (name !== 'joined') return 0
  const { error, last } = await checkpoint.live({ to: 1 })
  if (error !== undefined) throw error
  return last
}

/** What a life needs so that `calls` calls from `at` on have such a fate. */
function meet(fate: Fault['fate'], at: number, calls: number, pick: Pick) {
  const clock = new HurryingClock()
  const fateOf = (n: number): CallFate =>
    n >= at && n < at + calls ? fate(pick) : { kind: 'goes on' }
  return {
    clockOf: clock.follow,
    bucket: { clock, of: (service: Bucket) => faultyBucket(service, clock, fateOf) },
  }
}
