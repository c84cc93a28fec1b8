// A closure that gives a promise, though it was not declared async, stops the pipeline wherever it
// is called, and the rejection of its promise is nobody's surprise.

import type { DStream } from 'millrace'
import { runBatches } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

type Pairs = DStream<[string, number]>
type Build = (s: Pairs, late: () => never) => DStream<unknown>

const add = (a: number, b: number): number => a + b
const take = (a: number, b: number): number => a - b

const builds: Readonly<Record<string, Build>> = {
  map: (s, late) => s.map(late),
  filter: (s, late) => s.filter(late),
  flatMap: (s, late) => s.flatMap(late),
  mapValues: (s, late) => s.mapValues(late),
  mapPartitions: (s, late) => s.mapPartitions(late),
  reduce: (s, late) => s.map(([, n]) => n).reduce(late),
  reduceByKey: (s, late) => s.reduceByKey(late),
  'combineByKey, create': (s, late) => s.combineByKey(late, add, add),
  'combineByKey, merge combiners': (s, late) => s.combineByKey((n: number) => n, add, late),
  updateStateByKey: (s, late) => s.updateStateByKey(late),
  mapWithState: (s, late) => s.mapWithState(late),
  reduceByKeyAndWindow: (s, late) => s.reduceByKeyAndWindow(late, '2s', '1s'),
  'an inverse': (s, late) => s.reduceByKeyAndWindow(add, late, '1s', '1s'),
  'a filter': (s, late) => s.reduceByKeyAndWindow(add, take, '1s', '1s', { filter: late }),
}

const promises: Readonly<Record<string, () => Promise<unknown>>> = {
  'that resolves': () => Promise.resolve(1),
  'that rejects': () => Promise.reject(new Error('late')),
}

describe.each(Object.entries(promises))('a promise %s', (_kind, promise) => {
  test.each(Object.entries(builds))('is refused from %s', async (_name, build) => {
    const input = [
      [
        ['a', 1],
        ['a', 2],
      ],
      [
        ['a', 3],
        ['a', 4],
      ],
    ]
    const failed = runBatches({ inputs: [input], batches: 2 }, (_ssc, s: Pairs) =>
      build(s, promise as () => never),
    )
    await expect(failed).rejects.toMatchObject({ code: 'TASK_FAILED' })
    await expect(failed).rejects.toThrow(/returned a promise: .* use mapAsync/)
  })
})
