// Spark's own cases (operators.json), each run plain, with a death after every batch at each of the
// four points of a batch's life, and on worker threads.

import { readFileSync } from 'node:fs'
import type { DStream } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'
import type { CaseArgs } from './case-pipeline.ts'
import type { StageSpec } from './functions.ts'

interface Case {
  readonly id: string
  readonly kind: string
  readonly params: {
    readonly inputPartitions?: number
    readonly windowMs?: number
    readonly slideMs?: number
  }
  readonly pipeline?: readonly StageSpec[]
  readonly inputPipelines?: readonly (readonly StageSpec[])[]
  readonly input?: (unknown[] | null)[]
  readonly inputs?: (unknown[] | null)[][]
  readonly expected?: unknown[][]
  readonly expectedSnapshots?: unknown[][]
  readonly expectedBeforeError?: unknown[][]
  readonly expectedError?: {
    readonly atBatch?: number
    readonly when?: string
    readonly messageContains?: string
  }
  readonly ordered?: boolean
  readonly valueCompare?: string
  readonly dropEmptyOutputs?: boolean
  readonly numBatches?: number
  readonly batchIntervalMs: number
}

const cases = JSON.parse(
  readFileSync(new URL('./operators.json', import.meta.url), 'utf8'),
) as readonly Case[]

/** Cases that are left out, with the reason. */
const leftOut: Readonly<Record<string, string>> = {
  'checkpointsuite-recovery-with-saveasnewapihadoopfiles-operation':
    'Hadoop file sinks do not exist here',
  'checkpointsuite-recovery-with-saveashadoopfile-inside-transform-operation':
    'actions inside transform are refused',
}

interface Way {
  readonly deaths: (batches: number) => Death[]
  readonly workers: number
}

const ways: Readonly<Record<string, Way>> = {
  plain: { deaths: () => [], workers: 0 },
  'death after each plan': { deaths: (n) => each(n, 'planned'), workers: 0 },
  'death after each run': { deaths: (n) => each(n, 'ran'), workers: 0 },
  'death after each sink write': { deaths: (n) => each(n, 'sinks'), workers: 0 },
  'death after each commit': { deaths: (n) => each(n, 'committed'), workers: 0 },
  'on 2 workers': { deaths: () => [], workers: 2 },
  'on 3 workers, death after each sink write': { deaths: (n) => each(n, 'sinks'), workers: 3 },
}

function each(batches: number, at: 'planned' | 'ran' | 'sinks' | 'committed'): Death[] {
  return Array.from({ length: batches }, (_, i) => ({ batch: i + 1, at }))
}

const pipelineModule = { module: new URL('./case-pipeline.ts', import.meta.url) }

function run(c: Case, batches: number, way: Way, options: { deaths: number; snapshots: boolean }) {
  const inputs = c.inputs ?? [c.input ?? []]
  const partitions = c.params.inputPartitions
  const args: CaseArgs = {
    intervalMs: c.batchIntervalMs,
    pipeline: c.pipeline ?? [],
    inputPipelines: c.inputPipelines ?? [],
    snapshots: options.snapshots,
  }
  const how = {
    inputs,
    batches,
    batchInterval: c.batchIntervalMs,
    restartAfter: way.deaths(options.deaths),
    workers: way.workers,
    args,
    ...(partitions === undefined ? {} : { partitions }),
  }
  return runBatches(how, pipelineModule)
}

function compare(
  c: Case,
  outputs: readonly (unknown[] | undefined)[],
  expected: unknown[][],
): void {
  let got = outputs.filter((output) => output !== undefined).map(asJson)
  if (c.dropEmptyOutputs) got = got.filter((output) => output.length > 0)
  const normal = (batches: unknown[][]) =>
    batches.map((batch) => normalise(batch, c.ordered === true, c.valueCompare === 'multiset'))
  expect(normal(got)).toEqual(normal(expected))
}

/** Absent sides of joins are null in the cases. */
function asJson(output: unknown[]): unknown[] {
  return JSON.parse(JSON.stringify(output)) as unknown[]
}

function normalise(batch: unknown[], ordered: boolean, valuesAsSets: boolean): unknown[] {
  const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
  const records = valuesAsSets ? batch.map((record) => sortInside(record, byText)) : [...batch]
  return ordered ? records : records.sort(byText)
}

function sortInside(record: unknown, order: (a: unknown, b: unknown) => number): unknown {
  if (!Array.isArray(record) || record.length !== 2) return record
  const [key, value] = record as [unknown, unknown]
  if (!Array.isArray(value)) return record
  const parts = value.map((part) => (Array.isArray(part) ? [...part].sort(order) : part))
  return [key, value.some(Array.isArray) ? parts : [...parts].sort(order)]
}

describe.each(Object.entries(ways))('parity with Spark, %s', (_name, way) => {
  const streams = cases.filter((c) => c.kind === 'stream' && leftOut[c.id] === undefined)
  test.each(streams.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const batches = c.numBatches ?? c.expected?.length ?? 0
    compare(c, await run(c, batches, way, { deaths: batches, snapshots: false }), c.expected ?? [])
    if (c.expectedSnapshots === undefined) return
    compare(
      { ...c, ordered: false },
      await run(c, batches, way, { deaths: batches, snapshots: true }),
      c.expectedSnapshots,
    )
  })

  const errors = cases.filter((c) => c.kind === 'error' && c.expectedError?.atBatch !== undefined)
  test.each(errors.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const atBatch = c.expectedError?.atBatch ?? 0
    const failed = await run(c, atBatch, way, { deaths: atBatch - 1, snapshots: false }).then(
      () => undefined,
      (error: Error & { outputs?: unknown[][] }) => error,
    )
    expect(failed).toBeInstanceOf(Error)
    expect(failed?.message).toContain(c.expectedError?.messageContains ?? '')
    compare({ ...c, ordered: false }, failed?.outputs ?? [], c.expectedBeforeError ?? [])
  })
})

describe('parity with Spark, at declaration', () => {
  const errors = cases.filter((c) => c.expectedError?.when === 'stream definition')
  test.each(errors.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const { windowMs = 0, slideMs = 0 } = c.params
    const options = { inputs: [[]], batches: 1, batchInterval: c.batchIntervalMs }
    await expect(
      runBatches(options, (_ssc, s: DStream<[string, number]>) =>
        s.reduceByKeyAndWindow((a, b) => a + b, windowMs, slideMs),
      ),
    ).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
  })
})

test('at most ten cases are left out, each with its reason', () => {
  expect(Object.keys(leftOut).length).toBeLessThanOrEqual(10)
  for (const id of Object.keys(leftOut)) expect(cases.map((c) => c.id)).toContain(id)
})
