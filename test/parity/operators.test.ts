// Cases of Spark's own suites, and ours in the same form, each run plain and with a death after
// every batch at each of the four points of a batch's life.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DStream, StreamingContext } from 'millrace'
import { type Death, runBatches } from 'millrace/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leftOut } from './accounting.ts'
import { type Case, furtherCases, sparkCases } from './cases.ts'
import { applyStages, type Setting } from './functions.ts'

const cases = [...sparkCases, ...furtherCases]

const ways: Readonly<Record<string, (batches: number) => Death[]>> = {
  plain: () => [],
  'death after each plan': (n) => each(n, 'planned'),
  'death after each run': (n) => each(n, 'ran'),
  'death after each sink write': (n) => each(n, 'sinks'),
  'death after each commit': (n) => each(n, 'committed'),
}

function each(batches: number, at: 'planned' | 'ran' | 'sinks' | 'committed'): Death[] {
  return Array.from({ length: batches }, (_, i) => ({ batch: i + 1, at }))
}

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-cases-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a case; `look` says what of it is seen. */
function run(
  c: Case,
  batches: number,
  deaths: Death[],
  look: 'records' | 'snapshots' | 'partitions' = 'records',
) {
  const inputs = c.inputs ?? [c.input ?? []]
  const partitions = c.params.inputPartitions
  const options = {
    inputs,
    batches,
    batchInterval: c.batchIntervalMs,
    restartAfter: deaths,
    ...(partitions === undefined ? {} : { partitions }),
  }
  return runBatches(options, (ssc: StreamingContext, ...streams: DStream<unknown>[]) => {
    const base: Setting = {
      intervalMs: c.batchIntervalMs,
      others: [],
      union: (all) => ssc.union(...all),
      transform: (all, f) => ssc.transform(all, f),
      snapshots: look === 'snapshots',
      folder,
    }
    const prepared = streams.map((stream, i) =>
      applyStages(stream, c.inputPipelines?.[i] ?? [], base),
    )
    const [first, ...others] = prepared as [DStream<unknown>, ...DStream<unknown>[]]
    const last = applyStages(first, c.pipeline ?? [], { ...base, others })
    return look === 'partitions' ? last.glom() : last
  })
}

/** True if a case saves its batches as files. */
function saves({ pipeline = [] }: Case): boolean {
  return pipeline.some((stage) => 'saveAsFiles' in stage)
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

describe.each(Object.entries(ways))('parity with Spark, %s', (_way, deaths) => {
  const streams = cases.filter((c) => c.kind === 'stream' && leftOut(c) === undefined)
  test.each(streams.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const expected = (c.expected ?? []) as unknown[][]
    const batches = c.numBatches ?? expected.length
    const dies = deaths(batches)
    rmSync(folder, { recursive: true, force: true })
    compare(c, await run(c, batches, dies), expected)
    const saved = expected.flatMap((records, i) =>
      records.length === 0 ? [] : [`result-${(i + 1) * c.batchIntervalMs}`],
    )
    if (saves(c)) expect(readdirSync(folder).sort()).toEqual(saved.sort())
    if (c.expectedSnapshots !== undefined) {
      const got = await run(c, batches, dies, 'snapshots')
      compare({ ...c, ordered: false }, got, c.expectedSnapshots)
    }
    if (c.expectedPartitionCounts !== undefined) {
      const got = await run(c, batches, dies, 'partitions')
      expect(got.map((parts) => parts?.length)).toEqual(c.expectedPartitionCounts)
    }
  })

  const errors = cases.filter((c) => c.kind === 'error' && c.expectedError?.atBatch !== undefined)
  test.each(errors.map((c) => [c.id, c] as const))('%s', async (_id, c) => {
    const atBatch = c.expectedError?.atBatch ?? 0
    const failed = await run(c, atBatch, deaths(atBatch - 1)).then(
      () => undefined,
      (error: Error & { outputs?: unknown[][] }) => error,
    )
    expect(failed).toBeInstanceOf(Error)
    expect(failed?.message).toContain(c.expectedError?.messageContains ?? '')
    if (c.expectedError?.code !== undefined)
      expect(failed).toHaveProperty('code', c.expectedError.code)
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
