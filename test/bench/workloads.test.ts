// That every workload gives the same result in a hand-written loop, on two threads, and as a
// pipeline, batch by batch. Small, and in this process.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { showCheck } from '../../bench/check.ts'
import { inputsOf, workloads } from '../../bench/comparison/workloads.ts'
import { runPipeline } from '../../bench/contestants/running-pipeline.ts'
import { handOf, type WorkloadName } from '../../bench/hand/hands.ts'
import { TwoThreads } from '../../bench/hand/two-threads.ts'
import { batchFile, type InputFolder } from '../../bench/input/input-files.ts'
import { readTexts } from '../../bench/input/read-part.ts'
import { takeReported } from '../../bench/pipelines/results.ts'

/** More than the longest window has panes. */
const BATCHES = 33
const SIZE = { files: 5, records: 500, seed: 3 }
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  vi.stubEnv('TMPDIR', folder)
})
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function onOneThread(name: WorkloadName, inputs: readonly InputFolder[]): string[] {
  const loop = handOf(name).loop(inputs.map(({ path }) => path))
  return Array.from({ length: BATCHES }, (_, i) => {
    const texts = inputs.map(({ path, files }) => readTexts(batchFile(path, i % files), 0, 1))
    return showCheck(loop.batch(texts))
  })
}

async function onTwoThreads(name: WorkloadName, inputs: readonly InputFolder[]): Promise<string[]> {
  const threads = new TwoThreads(name, inputs)
  const checks: string[] = []
  for (let i = 0; i < BATCHES; i++) checks.push(await threads.batch(i))
  await threads.stop()
  return checks
}

async function asPipeline(
  pipeline: string,
  inputs: readonly InputFolder[],
  { workers, store }: { readonly workers: number; readonly store?: string },
): Promise<string[]> {
  takeReported()
  const running = await runPipeline({ pipeline, args: { inputs }, workers, store })
  await running.run(BATCHES)
  // A graceful stop runs one batch more.
  const checks = takeReported()
  await running.stop()
  return checks
}

describe.each(workloads.map((workload) => [workload.name, workload] as const))(
  '%s',
  (name, workload) => {
    test('is the same on one thread, on two and as a pipeline', async () => {
      const inputs = inputsOf(workload, SIZE)
      const expected = onOneThread(name, inputs)
      expect(new Set(expected).size).toBeGreaterThan(1)
      expect(await onTwoThreads(name, inputs)).toEqual(expected)
      const store = join(folder, name)
      expect(await asPipeline(name, inputs, { workers: 0 })).toEqual(expected)
      expect(await asPipeline(name, inputs, { workers: 2, store })).toEqual(expected)
    })
  },
)
