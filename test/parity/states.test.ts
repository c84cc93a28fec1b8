// The tables and scripts of Spark's suites that are about keyed state. What Spark asks of its
// records and maps is asked here of a pipeline where it can be seen there: times of last updates
// show in when a key times out.

import type { DStream, State } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import { tokenOf } from '../../src/batch/key.ts'
import { StateHandle } from '../../src/state/state-handle.ts'
import { StatePartition } from '../../src/state/state-partition.ts'
import { caseOf } from './cases.ts'

type Pair = [string, number]

describe('the state of one key', () => {
  interface Expectation {
    readonly exists?: boolean
    readonly get?: number
    readonly getThrows?: string
    readonly timingOut?: boolean
    readonly removeThrows?: string
    readonly updateThrows?: string
  }
  type Step = { readonly do: string; readonly arg?: number | null; readonly expect?: Expectation }
  const { steps } = caseOf<{ steps: Step[] }>('mapwithstatesuite-state-get-exists-update-remove')

  function check(handle: StateHandle, expected: Expectation): void {
    const { exists, timingOut, get, getThrows, removeThrows, updateThrows } = expected
    if (exists !== undefined) expect(handle.exists()).toBe(exists)
    if (timingOut !== undefined) expect(handle.isTimingOut()).toBe(timingOut)
    if (get !== undefined) expect(handle.get()).toBe(get)
    if (getThrows !== undefined) expect(() => handle.get()).toThrow(RangeError)
    if (removeThrows !== undefined) expect(() => handle.remove()).toThrow(RangeError)
    if (updateThrows !== undefined) expect(() => handle.update(1)).toThrow(RangeError)
  }

  test('is got, updated and removed as in Spark', () => {
    const fresh = (arg: unknown, timingOut = false): StateHandle => {
      const partition = new StatePartition('state', false)
      const id = typeof arg === 'number' ? partition.add('key', arg) : -1
      return new StateHandle(partition, 'key', id, timingOut ? 'timing out' : 'open')
    }
    let handle = fresh(undefined)
    for (const { do: action, arg, expect: expected } of steps) {
      if (action === 'update') handle.update(arg)
      else if (action === 'remove') handle.remove()
      else handle = fresh(arg, action === 'wrapTimingOut')
      check(handle, expected ?? {})
    }
  })
})

describe('the states of the keys of a partition', () => {
  type Entry = [number, number, number]
  type Step = {
    readonly put?: Entry
    readonly get?: number
    readonly getByTime?: number
    readonly getAll?: true
    readonly remove?: number
    readonly expect?: unknown
  }
  const id = 'statemapsuite-openhashmapbasedstatemap-put-get-getbytime-getall-remove'
  const { steps } = caseOf<{ steps: Step[] }>(id)

  function entriesOf(partition: StatePartition, before = Number.POSITIVE_INFINITY): unknown[] {
    const entries: Entry[] = []
    for (let key = 0; key <= 1_000; key++) {
      const id = partition.keys.find(tokenOf(key))
      if (id < 0 || partition.markAt(id) >= before) continue
      entries.push([key, partition.valueAt(id) as number, partition.markAt(id)])
    }
    return entries
  }

  function find(partition: StatePartition, key: number): unknown {
    const id = partition.keys.find(tokenOf(key))
    return id < 0 ? null : partition.valueAt(id)
  }

  test('are put, got and removed as in Spark', () => {
    const partition = new StatePartition('state', true)
    for (const step of steps) {
      if (step.put !== undefined) partition.put(...step.put)
      if (step.remove !== undefined) {
        const id = partition.keys.find(tokenOf(step.remove))
        if (id >= 0) partition.remove(id)
      }
      partition.merge()
      const got =
        step.get !== undefined ? find(partition, step.get) : entriesOf(partition, step.getByTime)
      if ('expect' in step) expect(got).toEqual(step.expect)
    }
  })
})

/** mapWithState over batches of one second, with what its closure saw and kept. */
async function observe(options: {
  readonly batches: readonly (readonly [string, unknown])[][]
  readonly numBatches: number
  readonly interval?: number
  readonly initial: readonly (readonly [string, unknown])[]
  readonly timeout?: number
  readonly partitions?: number
  readonly f: (value: unknown, state: State<unknown>) => unknown
}) {
  const calls: { key: string; time: number; timingOut: boolean }[] = []
  const run = (look: 'records' | 'snapshots' | 'partitions') => {
    calls.length = 0
    const { batches, numBatches, interval = 1_000, initial, timeout, partitions = 2, f } = options
    const input = { inputs: [batches], batches: numBatches, batchInterval: interval }
    return runBatches(input, (_ssc, s: DStream<[string, unknown]>) => {
      const mapped = s.mapWithState(
        (key: string, value: unknown, state: State<unknown>, { time }) => {
          calls.push({ key, time, timingOut: state.isTimingOut() })
          return state.isTimingOut() ? `out ${key}` : f(value, state)
        },
        {
          partitions,
          initialState: initial,
          ...(timeout === undefined ? {} : { timeout }),
        },
      )
      const snapshots = mapped.stateSnapshots()
      if (look === 'partitions') return snapshots.glom()
      return look === 'snapshots' ? snapshots : mapped
    })
  }
  const snapshots = (await run('snapshots')) as Pair[][]
  const partitions = (await run('partitions')) as Pair[][][]
  return { snapshots, partitions, outputs: await run('records'), calls }
}

const byKey = (a: Pair, b: Pair): number => (a[0] < b[0] ? -1 : 1)

test('initial states carry the time of the first batch, in the partitions asked for', async () => {
  interface Table {
    readonly params: { readonly numPartitions: number; readonly timeMs: number }
    readonly input: [number, string][]
    readonly expected: [number, string, number][]
  }
  const { params, input, expected } = caseOf<Table>('mapwithstaterddsuite-creation-from-pair-rdd')
  const options = {
    batches: [],
    numBatches: 4,
    interval: params.timeMs,
    initial: input as unknown as [string, string][],
    partitions: params.numPartitions,
    f: () => undefined,
  }
  const seen = await observe(options)
  expect(seen.partitions[0]).toHaveLength(params.numPartitions)
  expect(seen.snapshots[0]?.sort()).toEqual(expected.map(([key, value]) => [key, value]))
  expect(seen.outputs).toEqual([[], [], [], []])
  const touched = new Set(expected.map(([, , time]) => time))
  for (const timeout of [params.timeMs - 1, params.timeMs]) {
    const { calls } = await observe({ ...options, timeout })
    const expectedOut = firstBatchAfter([...touched][0]! + timeout, params.timeMs)
    expect(calls.map(({ time }) => time)).toEqual(expected.map(() => expectedOut))
  }
})

/** The first batch time later than `time`. */
function firstBatchAfter(time: number, interval: number): number {
  return (Math.floor(time / interval) + 1) * interval
}

describe('a batch of records updates the state of their key', () => {
  interface Row {
    readonly states: [number, number][]
    readonly output: number[]
    readonly timedOut: number[]
    readonly removed: number[]
    readonly functionCalled: boolean
  }
  type Input = [initial: number[], data: string[], threshold: number | null, remove: boolean]
  interface Table {
    readonly params: {
      readonly initialTimeMs: number
      readonly batchTimeMs: number
      readonly key: string
    }
    readonly input: Input[]
    readonly expected: Row[]
  }
  const id =
    'mapwithstaterddsuite-updating-state-and-generating-mapped-data-in-mapwithstaterddrecord'
  const { params, input, expected } = caseOf<Table>(id)
  const { initialTimeMs, batchTimeMs, key } = params

  const functions = (removed: unknown[]): Record<string, (s: State<number>) => unknown> => ({
    noop: () => undefined,
    'get-state': (s) => (s.exists() ? s.get() : -1),
    'update-state': (s) => s.update(s.exists() ? s.get() + 1 : 0),
    'remove-state': (s) => {
      removed.push(s.get())
      s.remove()
    },
  })

  test.each(input.map((row, i) => [i, row] as const))('row %i: %j', async (i, row) => {
    const [initial, data, threshold] = row
    const want = expected[i] as Row
    const removed: unknown[] = []
    const seen = await observe({
      batches: [[], data.map((action) => [key, action] as const)],
      numBatches: 5,
      interval: initialTimeMs,
      initial: initial.map((value) => [key, value] as const),
      ...(threshold === null ? {} : { timeout: batchTimeMs - threshold }),
      f: (action, state) => functions(removed)[String(action)]?.(state as State<number>),
    })
    const at = batchTimeMs / initialTimeMs - 1
    const out = seen.calls.filter(({ timingOut }) => timingOut)
    const outNow = out.filter(({ time }) => time === batchTimeMs)
    expect(seen.snapshots[at]).toEqual(want.states.map(([value]) => [key, value]))
    expect(outNow).toHaveLength(want.timedOut.length)
    expect(seen.outputs[at]).toEqual([...want.output, ...want.timedOut.map(() => `out ${key}`)])
    expect(new Set(removed)).toEqual(new Set(want.removed))
    expect(seen.calls.some(({ time }) => time === batchTimeMs)).toBe(want.functionCalled)
    if (threshold === null) return
    const later = want.states.map(([, touched]) =>
      firstBatchAfter(touched + batchTimeMs - threshold, initialTimeMs),
    )
    const outLater = out.filter(({ time }) => time > batchTimeMs)
    expect(outLater.map(({ time }) => time)).toEqual(later)
  })
})

describe('states from states', () => {
  interface Step {
    readonly from: string
    readonly data: [string, number][]
    readonly expectStates: [string, number, number][]
    readonly as: string | null
  }
  interface Script {
    readonly params: { readonly init: Pair[]; readonly partitions: number }
    readonly steps: Step[]
  }
  const { params, steps } = caseOf<Script>(
    'mapwithstaterddsuite-states-generated-by-mapwithstaterdd',
  )

  const act = (action: unknown, state: State<unknown>): undefined => {
    if (action === 1) state.update(state.exists() ? (state.get() as number) + 1 : 0)
    if (action === 2) state.remove()
  }

  test('each is made of the one before, by one call for each record', async () => {
    const paths = new Map<string, Pair[][]>([['init', []]])
    for (const { from, data, expectStates, as } of steps) {
      const path = [...(paths.get(from) as Pair[][]), data]
      if (as !== null) paths.set(as, path)
      const seen = await observe({
        batches: [[], ...path],
        numBatches: path.length + 1,
        initial: params.init,
        partitions: params.partitions,
        f: act,
      })
      const states = expectStates.map(([key, value]): Pair => [key, value])
      expect(seen.snapshots.at(-1)?.sort(byKey)).toEqual(states.sort(byKey))
      expect(seen.snapshots[0]?.sort(byKey)).toEqual(params.init)
      const called = seen.calls.map(({ key }) => key).sort()
      expect(called).toEqual(
        path
          .flat(1)
          .map(([key]) => key)
          .sort(),
      )
    }
  })
})

const points = ['planned', 'ran', 'sinks', 'committed'] as const

test('keys without values time out once each, and the others never', async () => {
  interface Property {
    readonly params: { readonly timeoutMs: number; readonly batchesRun: number }
    readonly input: string[][]
    readonly expected: {
      readonly allOutputsSorted: string[]
      readonly someSnapshotEquals: Pair[]
      readonly lastSnapshotEquals: Pair[]
    }
  }
  const id = 'mapwithstatesuite-mapwithstate-state-timing-out'
  const { params, input, expected } = caseOf<Property>(id)
  for (const at of [undefined, ...points]) {
    const run = (snapshots: boolean) => {
      const options = {
        inputs: [input],
        batches: params.batchesRun,
        restartAfter: at === undefined ? [] : everyBatch(params.batchesRun, at),
      }
      return runBatches(options, (_ssc, s: DStream<string>) => {
        const mapped = s
          .map((key): Pair => [key, 1])
          .mapWithState(
            (key: string, _n: number | undefined, state: State<number>) => {
              if (state.isTimingOut()) return key
              state.update(1)
              return undefined
            },
            { timeout: params.timeoutMs },
          )
        return snapshots ? mapped.stateSnapshots() : mapped
      })
    }
    const outputs = (await run(false)).flat(1) as string[]
    expect(outputs.sort((a, b) => (a < b ? -1 : 1))).toEqual(expected.allOutputsSorted)
    const snapshots = ((await run(true)) as Pair[][]).map((states) => states.sort(byKey))
    expect(snapshots).toContainEqual(expected.someSnapshotEquals)
    expect(snapshots.at(-1)).toEqual(expected.lastSnapshotEquals)
  }
})

function everyBatch(batches: number, at: (typeof points)[number]): Death[] {
  return Array.from({ length: batches }, (_, i) => ({ batch: i + 1, at }))
}

test('a running total stays exact through failures', async () => {
  interface Property {
    readonly params: { readonly batches: number; readonly checkpointBatches: number }
    readonly input: string[][]
    readonly expected: { readonly everyOutputIn: Pair[]; readonly lastOutput: Pair }
  }
  const id = 'failuresuite-multiple-failures-with-updatestatebykey'
  const { params, input, expected } = caseOf<Property>(id)
  const all = points.flatMap((at) => everyBatch(params.batches, at))
  const options = {
    inputs: [input],
    batches: params.batches,
    snapshotEvery: params.checkpointBatches,
    restartAfter: all.filter((_, i) => i % 3 === 0),
  }
  const outputs = await runBatches(options, (_ssc, lines: DStream<string>) =>
    lines
      .flatMap((line) => line.split(' '))
      .map((word): Pair => [word, 1])
      .updateStateByKey((ns: number[], before: number | undefined) =>
        ns.reduce((a, b) => a + b, before ?? 0),
      ),
  )
  expect(outputs.flat(1)).toEqual(expected.everyOutputIn)
  expect(outputs.at(-1)).toEqual([expected.lastOutput])
})
