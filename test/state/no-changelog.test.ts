import { pipeline, start } from 'millrace'
import { MemoryStore, quietLogger } from 'millrace/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { BatchGraph } from '../../src/state/batch-graph.ts'

afterEach(() => void vi.restoreAllMocks())

test.each([
  ['without a checkpoint no changelog is made', undefined, 0],
  ['with a checkpoint each batch that changes state has a changelog', new MemoryStore(), 3],
] as const)('%s', async (_name, store, expected) => {
  const changes = vi.spyOn(BatchGraph.prototype, 'changes')
  const options = { batchInterval: 10, checkpoint: store ?? false } as const
  const sums = pipeline('sums', options, (ssc) => {
    ssc
      .queue([['a'], ['b'], ['a']])
      .map((word): [string, number] => [word, 1])
      .updateStateByKey((ns: number[], n: number | undefined) => (n ?? 0) + ns.length)
      .foreachBatch(() => undefined)
  })
  const run = await start(sums, { until: 'caught-up', logger: quietLogger })
  await run.done
  const made = changes.mock.results.filter(({ value }) => value !== undefined)
  expect(made).toHaveLength(expected)
})
