// Where each case of operators.json is run, or why it is not.

import type { Case } from './cases.ts'

/** A case's place: the test file that runs it, or the reason why none does. */
export type Place = { readonly runIn: string } | { readonly leftOut: string }

const NUMBERS = 'times and durations are numbers here: this is what an operator of JavaScript does'
const OTHER_ENGINES = 'executors of a cluster are requested and killed; there are none here'
const MACHINE_LEARNING = 'streaming machine learning is not part of millrace'

/** By id, where the case itself is the exception. */
const byId: Readonly<Record<string, Place>> = {
  'checkpointsuite-recovery-with-saveashadoopfile-inside-transform-operation': {
    leftOut: 'actions inside transform are refused; saved-files.test.ts writes a batch again',
  },
}

/** By operator, where the kind does not say it. */
const byOperator: Readonly<Record<string, Place>> = {
  'Time.isMultipleOf': { runIn: 'test/parity/times.test.ts' },
  'Duration.isMultipleOf': { runIn: 'test/parity/times.test.ts' },
  'Duration.isZero': { runIn: 'test/parity/times.test.ts' },
  'Time.floor': { runIn: 'test/parity/times.test.ts' },
  BatchedWAL: { leftOut: 'there is no write-ahead log of received blocks yet' },
  RecurringTimer: { runIn: 'test/parity/times.test.ts' },
  'mapWithState(checkpointInterval)': { runIn: 'test/parity/times.test.ts' },
  slice: { runIn: 'test/state/remember.test.ts' },
  rddCleanup: { runIn: 'test/state/remember.test.ts' },
  PIDRateEstimator: { runIn: 'test/scheduler/rate-estimator.test.ts' },
  'RateEstimator.create': { runIn: 'test/scheduler/rate-estimator.test.ts' },
  RateLimiter: { runIn: 'test/scheduler/rate-controller.test.ts' },
  progressCounters: { runIn: 'test/scheduler/progress.test.ts' },
  State: { runIn: 'test/parity/states.test.ts' },
  StateMap: { runIn: 'test/parity/states.test.ts' },
  'mapWithState(initialState)': { runIn: 'test/parity/states.test.ts' },
  'mapWithState(record update)': { runIn: 'test/parity/states.test.ts' },
  'mapWithState(state versions)': { runIn: 'test/parity/states.test.ts' },
  'mapWithState(timeout)': { runIn: 'test/parity/states.test.ts' },
  'checkpointRecovery(fileStream)': { runIn: 'test/parity/file-recovery.test.ts' },
  failureRecovery: { runIn: 'test/parity/states.test.ts' },
  foreachRDD: { runIn: 'test/parity/times.test.ts' },
}

/** The place of a case; undefined if nobody has placed it. */
export function placeOf({ id, kind, operator }: Pick<Case, 'id' | 'kind' | 'operator'>) {
  const place: Place | undefined = byId[id] ?? byOperator[operator]
  if (place !== undefined) return place
  if (kind === 'ml' || kind === 'ml-statistical' || operator.startsWith('Streaming')) {
    return { leftOut: MACHINE_LEARNING }
  }
  if (operator.startsWith('ExecutorAllocation')) return { leftOut: OTHER_ENGINES }
  if (/^(Time|Duration)\./.test(operator)) return { leftOut: NUMBERS }
  if (kind === 'stream' || kind === 'error') return { runIn: 'test/parity/operators.test.ts' }
  if (kind === 'source') return { runIn: 'test/parity/sources.test.ts' }
  return undefined
}

/** Why a case is not run; undefined if it is. */
export function leftOut(c: Pick<Case, 'id' | 'kind' | 'operator'>): string | undefined {
  const place = placeOf(c)
  return place !== undefined && 'leftOut' in place ? place.leftOut : undefined
}
