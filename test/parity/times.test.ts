// Cases of Spark's suites about time: multiples, ticks of the clock, checkpoint intervals; and what
// an output operation sees.

import { pipeline, start } from 'millrace'
import { ManualClock, quietLogger } from 'millrace/testing'
import { expect, test } from 'vitest'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { checkpointEvery } from '../../src/dstream/retention.ts'
import { multipleMs, positiveDurationMs } from '../../src/duration.ts'
import { StreamingContext } from '../../src/streaming-context.ts'
import { caseOf } from './cases.ts'

interface Table<I, E> {
  readonly input: I[]
  readonly expected: E[]
}

/** The rows of a table, each with what is expected of it. */
function rowsOf<I, E>(id: string): (readonly [I, E])[] {
  const { input, expected } = caseOf<Table<I, E>>(id)
  return input.map((row, i) => [row, expected[i] as E])
}

const accepts = (f: () => unknown): boolean => {
  try {
    f()
    return true
  } catch {
    return false
  }
}

test.each(['timesuite-ismultipleof', 'durationsuite-ismultipleof'])(
  '%s: a length that is no multiple is refused',
  (id) => {
    for (const [[length, unit], isMultiple] of rowsOf<[number, number], boolean>(id)) {
      expect(accepts(() => multipleMs(length, 'window', unit, 'slide'))).toBe(isMultiple)
    }
  },
)

test('durationsuite-iszero: a length of zero is refused', () => {
  for (const [[length], isZero] of rowsOf<[number], boolean>('durationsuite-iszero')) {
    expect(accepts(() => positiveDurationMs(length, 'window'))).toBe(!isZero)
  }
})

/** A pipeline of empty batches on a manual clock, and the times of the batches that ran. */
async function ticking(interval: number) {
  const clock = new ManualClock(0)
  const times: number[] = []
  const described = pipeline('ticks', { batchInterval: interval, checkpoint: false }, (ssc) => {
    ssc.queue<number>([]).foreachBatch((_batch, { time }) => {
      times.push(time)
    })
  })
  const run = await start(described, { clock, logger: quietLogger })
  const advance = async (ms: number) => {
    const due = Math.floor((clock.wallMs() + ms) / interval)
    const seen = new Promise<void>((resolve) => {
      const off = run.on('batch-completed', ({ batchId }) => {
        if (batchId < due) return
        off()
        resolve()
      })
    })
    clock.advance(ms)
    if (times.length < due) await seen
  }
  return { run, times, advance }
}

test('timesuite-floor: the newest batch is at the last multiple of the interval', async () => {
  for (const [[time, interval], floor] of rowsOf<[number, number], number>('timesuite-floor')) {
    const { run, times, advance } = await ticking(interval)
    await advance(time)
    expect(times.at(-1) ?? 0).toBe(floor)
    await run.stop({ graceful: false })
  }
})

test('recurringtimersuite-basic: a jump of the clock runs each batch, in order', async () => {
  interface Script {
    readonly params: { readonly periodMs: number }
    readonly steps: { readonly do: string; readonly ms?: number; readonly expectCalls?: number[] }[]
  }
  const { params, steps } = caseOf<Script>('recurringtimersuite-basic')
  const { run, times, advance } = await ticking(params.periodMs)
  for (const { ms = 0, expectCalls } of steps) {
    await advance(ms)
    // The timer's first call is at its start; the first batch is one interval after it.
    if (expectCalls !== undefined) expect(times).toEqual(expectCalls.slice(1))
  }
  await run.stop({ graceful: false })
  expect(times.at(-1)).toBe(300)
})

test('mapwithstatesuite-mapwithstate-checkpoint-durations: one that is set is kept', () => {
  type Row = [batchMs: number, explicit: number | null]
  const id = 'mapwithstatesuite-mapwithstate-checkpoint-durations'
  for (const [[batchMs, explicit], effective] of rowsOf<Row, number>(id)) {
    const graph = new StreamGraph(batchMs)
    const pairs = new StreamingContext(graph).queue<[string, number]>([])
    const states = pairs.mapWithState<string, number, number, number>(() => undefined)
    if (explicit !== null) states.checkpoint(explicit)
    states.print()
    const every = checkpointEvery(graph)
    // Without one, Spark takes ten batches; here snapshotEvery of the pipeline says it.
    expect(every).toBe(explicit === null ? undefined : effective / batchMs)
  }
})

test('javaapisuite-testforeachrdd: each batch is seen once, with its records', async () => {
  interface Sink {
    readonly input: number[][]
    readonly expected: { readonly rddCalls: number; readonly elementsSeen: number }
  }
  const { input, expected } = caseOf<Sink>('javaapisuite-testforeachrdd')
  const clock = new ManualClock(0)
  const seen: number[] = []
  const described = pipeline('each', { batchInterval: 1_000, checkpoint: false }, (ssc) => {
    ssc.queue(input).foreachBatch(async (batch) => {
      seen.push(await batch.count())
    })
  })
  const run = await start(described, { clock, logger: quietLogger })
  for (const _ of input) {
    const completed = new Promise((resolve) => run.on('batch-completed', resolve))
    clock.advance(1_000)
    await completed
  }
  await run.stop({ graceful: false })
  expect(seen).toHaveLength(expected.rddCalls)
  expect(seen.reduce((a, b) => a + b, 0)).toBe(expected.elementsSeen)
})
