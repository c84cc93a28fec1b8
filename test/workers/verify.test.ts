import { pipeline, type StreamingContext, start } from 'millrace'
import { CollectingSink, quietLogger } from 'millrace/testing'
import { describe, expect, test } from 'vitest'

const options = { batchInterval: 10, checkpoint: false } as const

async function verified(build: (ssc: StreamingContext) => void): Promise<unknown> {
  const described = pipeline('verified', options, build)
  const how = { verify: true, until: 'caught-up', logger: quietLogger } as const
  const run = await start(described, how)
  return run.done.then(
    () => 'equal',
    (error: { code?: string }) => error.code,
  )
}

describe('verify', () => {
  test('passes a pipeline whose closures depend on their arguments', async () => {
    const sink = new CollectingSink<[string, number]>()
    const calls = { n: 0 }
    const ended = await verified((ssc) => {
      ssc
        .queue([['a', 'b', 'a']])
        .map((word): [string, number] => {
          calls.n += 1
          return [word, 1]
        })
        .reduceByKeyAndWindow((a, b) => a + b, 20)
        .writeTo(sink)
    })
    expect(ended).toBe('equal')
    expect(calls.n).toBe(6)
    expect(sink.batches.get(1)?.flat(1).sort()).toEqual([
      ['a', 2],
      ['b', 1],
    ])
  })

  test('stops at records that differ when a batch is run again', async () => {
    let calls = 0
    const sink = new CollectingSink<number>()
    const ended = await verified((ssc) => {
      ssc
        .queue([[1]])
        .map(() => calls++)
        .writeTo(sink)
    })
    expect(ended).toBe('RESULTS_DIFFER')
    expect(sink.records()).toEqual([])
  })

  test('stops at a state that differs', async () => {
    let calls = 0
    const ended = await verified((ssc) => {
      const pairs = ssc.queue([[['a', 1] as [string, number]]])
      const states = pairs.mapWithState((_key: string, _n: number | undefined, state) => {
        state.update(calls++)
        return 'same'
      })
      states.print()
    })
    expect(ended).toBe('RESULTS_DIFFER')
  })
})
