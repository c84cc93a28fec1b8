// Operators whose promises span the workers of a run.

import { runBatches } from 'millrace/testing'
import { expect, test } from 'vitest'
import { operations, SEEN } from './operators-on-workers.ts'

const module = new URL('./operators-on-workers.ts', import.meta.url)
const numbers = Array.from({ length: 40 }, (_, i) => i)

function run(name: string, workers: number, inputs: number[]) {
  const memory = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  const options = { inputs: [[inputs]], batches: 1, partitions: 4, workers, args: memory }
  return { memory, outputs: runBatches(options, { module, export: name }) }
}

test.each([0, 1, 2])('mapAsync has its bound over all of %d workers', async (workers) => {
  const { memory, outputs } = run('calls', workers, numbers)
  expect(await outputs).toEqual([numbers.map((n) => -n)])
  expect(memory[SEEN.most]).toBeGreaterThan(0)
  expect(memory[SEEN.most]).toBeLessThanOrEqual(4)
})

test.each([0, 2])('a key that cannot be compared has its place, on %d workers', async (workers) => {
  const { outputs } = run('badKeys', workers, [0, 1, 2, 3, 4, 5, 6, 7])
  const error: unknown = await outputs.catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'KEY_NOT_COMPARABLE',
    place: { time: 1_000, operator: expect.stringMatching(/^join-/), record: 1 },
  })
})

test.each(Object.keys(operations))('%s gives the same on three workers', async (args) => {
  const inputs = [[numbers, [3, 1, 2], []]]
  const give = (workers: number) => {
    const options = { inputs, batches: 3, partitions: 4, workers, args }
    return runBatches(options, { module, export: 'operation' })
  }
  expect(await give(3)).toEqual(await give(0))
})
