// What is wrong with a call is told where the operator is declared, by its name.

import { ConfigError, type DStream, type Duration, pipeline, type StreamingContext } from 'millrace'
import { describe, expect, test } from 'vitest'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { statefulOperators } from '../../src/dstream/operator-ids.ts'
import { StreamingContext as Context } from '../../src/streaming-context.ts'

type Pairs = DStream<[string, number]>

function fresh(): { graph: StreamGraph; ssc: StreamingContext; pairs: Pairs } {
  const graph = new StreamGraph(1_000)
  const ssc = new Context(graph)
  return { graph, ssc, pairs: ssc.queue<[string, number]>([]) }
}

describe('closures', () => {
  const cases: [string, (s: Pairs, f: never) => unknown][] = [
    ['map', (s, f) => s.map(f)],
    ['flatMap', (s, f) => s.flatMap(f)],
    ['filter', (s, f) => s.filter(f)],
    ['mapPartitions', (s, f) => s.mapPartitions(f)],
    ['mapValues', (s, f) => s.mapValues(f)],
    ['flatMapValues', (s, f) => s.flatMapValues(f)],
    ['reduce', (s, f) => s.reduce(f)],
    ['transform', (s, f) => s.transform(f)],
    ['transformWith', (s, f) => s.transformWith(s, f)],
    ['reduceByKey', (s, f) => s.reduceByKey(f)],
    ['combineByKey', (s, f) => s.combineByKey(f, f, f)],
    ['reduceByWindow', (s, f) => s.reduceByWindow(f, '1s')],
    ['reduceByKeyAndWindow', (s, f) => s.reduceByKeyAndWindow(f, '1s')],
    ['updateStateByKey', (s, f) => s.updateStateByKey(f)],
    ['mapWithState', (s, f) => s.mapWithState(f)],
  ]

  // Where no function stands, a duration is looked for.
  const optional: typeof cases = [
    ['reduceByWindow', (s, f) => s.reduceByWindow((a) => a, f, '1s')],
    ['reduceByKeyAndWindow', (s, f) => s.reduceByKeyAndWindow((a) => a, f, '1s')],
    [
      'reduceByKeyAndWindow',
      (s, filter) =>
        s.reduceByKeyAndWindow(
          (a) => a,
          (a) => a,
          '1s',
          '1s',
          { filter },
        ),
    ],
  ]

  test.each([...cases, ...optional])('%s refuses an async function', (name, declare) => {
    const refused = `Cannot use an async function in ${name}: closures are synchronous`
    expect(() => declare(fresh().pairs, (async () => 1) as never)).toThrow(refused)
  })

  test.each([
    ...cases,
    ['mapAsync', (s: Pairs, f: never) => s.mapAsync(f, { concurrency: 1 })] as const,
    ['foreachBatch', (s: Pairs, f: never) => s.foreachBatch(f)] as const,
  ])('%s refuses what is no function', (name, declare) => {
    const refused = `Cannot use undefined in ${name}: it must be a function`
    expect(() => declare(fresh().pairs, undefined as never)).toThrow(refused)
  })
})

describe('windows', () => {
  const cases: [string, (s: Pairs, length: Duration, slide?: Duration) => unknown][] = [
    ['window', (s, length, slide) => s.window(length, slide)],
    ['countByWindow', (s, length, slide) => s.countByWindow(length, slide)],
    ['countByValueAndWindow', (s, length, slide) => s.countByValueAndWindow(length, slide)],
    ['reduceByWindow', (s, length, slide) => s.reduceByWindow((a) => a, length, slide)],
    [
      'reduceByWindow',
      (s, length, slide) =>
        s.reduceByWindow(
          (a) => a,
          (a) => a,
          length,
          slide,
        ),
    ],
    ['groupByKeyAndWindow', (s, length, slide) => s.groupByKeyAndWindow(length, slide)],
    ['reduceByKeyAndWindow', (s, length, slide) => s.reduceByKeyAndWindow((a) => a, length, slide)],
    [
      'reduceByKeyAndWindow',
      (s, length, slide) =>
        s.reduceByKeyAndWindow(
          (a) => a,
          (a) => a,
          length,
          slide,
        ),
    ],
  ]

  test.each(cases)('%s is told by name where its times do not fit', (name, declare) => {
    const parent = 'slide of its parent "queue-0" (1000 ms)'
    const rule = `of ${name}: it must be a multiple of the ${parent}`
    const odd = `Cannot use '1500ms' as the window ${rule}`
    expect(() => declare(fresh().pairs, '1500ms')).toThrow(odd)
    const short = `Cannot use 500 as the slide ${rule}`
    expect(() => declare(fresh().pairs, '2s', 500)).toThrow(short)
    expect(() => declare(fresh().pairs, 0)).toThrow(`Cannot use 0 as the window of ${name}`)
    expect(() => declare(fresh().pairs, '3s', '2s')).not.toThrow()
  })

  test.each(cases)(
    '%s keeps its state under the name that its stream is given',
    (_name, declare) => {
      const { graph, pairs } = fresh()
      const stream = declare(pairs, '3s', '2s') as DStream<unknown>
      stream.named('totals').print()
      expect(statefulOperators(graph).map(({ id }) => id)).toEqual(['totals'])
    },
  )
})

describe('settings', () => {
  const refused: [string, (s: Pairs) => unknown, RegExp][] = [
    ['repartition', (s) => s.repartition(0), /0 partitions for repartition/],
    ['a shuffle', (s) => s.join(s, { partitions: 257 }), /257 partitions for join/],
    ['print', (s) => s.print(1.5), /Cannot print the first 1.5 records/],
    ['writeTo', (s) => s.writeTo(undefined as never), /Cannot write to a undefined/],
    ['join', (s) => s.join(7 as never), /Cannot use 7 in join: give pairs/],
    ['persist', (s) => s.persist('ssd' as 'disk'), /Cannot use 'ssd' as the level at which/],
    ['checkpoint', (s) => s.checkpoint(1_500), /the checkpoint interval/],
    ['mapWithState', (s) => s.mapWithState((k) => k, { timeout: 0 }), /Cannot use 0 as timeout/],
    ['union of slides', (s) => s.union(s.window('2s', '2s')), /their slides must be the same/],
    ['saveAsTextFiles', (s) => s.saveAsTextFiles(''), /Cannot use "" as prefix of saveAsTextFiles/],
    [
      'saveAsJsonFiles',
      (s) => s.saveAsJsonFiles('a', 'b/c'),
      /"b\/c" as suffix of saveAsJsonFiles/,
    ],
  ]

  test.each(refused)('%s', (_name, declare, message) => {
    expect(() => declare(fresh().pairs)).toThrow(message)
    expect(() => declare(fresh().pairs)).toThrow(ConfigError)
  })

  test.each([
    [{ concurrency: 0 }, /0 as the concurrency of mapAsync/],
    [{ concurrency: 1.5 }, /1.5 as the concurrency of mapAsync/],
    [{ concurrency: Number.POSITIVE_INFINITY }, /Infinity as the concurrency/],
    [{}, /undefined as the concurrency/],
    [{ concurrency: 1, retries: -1 }, /-1 as the retries of mapAsync/],
    [{ concurrency: 1, retries: Number.POSITIVE_INFINITY }, /Infinity as the retries/],
    [{ concurrency: 1, timeout: 0 }, /0 as the timeout of mapAsync: it must be greater than 0 ms/],
    [{ concurrency: 1, timeout: '1x' }, /'1x' as the timeout of mapAsync/],
  ])('mapAsync refuses %o', (options, message) => {
    const declare = () => fresh().pairs.mapAsync((x) => Promise.resolve(x), options as never)
    expect(declare).toThrow(message)
  })

  test('two saves under one prefix and suffix are refused, other suffixes are not', () => {
    const { pairs } = fresh()
    pairs.saveAsTextFiles('out/words')
    pairs.saveAsTextFiles('out/words', 'txt')
    expect(() => pairs.saveAsJsonFiles('out/words')).toThrow(/twice with one suffix/)
    expect(() => pairs.saveAsTextFiles('out/words', '')).toThrow(/twice with one suffix/)
  })

  test('describing a pipeline declares nothing', () => {
    const build = () => {
      throw new Error('called')
    }
    expect(() => pipeline('p', { batchInterval: '1s', checkpoint: false }, build)).not.toThrow()
  })
})
