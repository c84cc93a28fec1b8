import { afterEach, describe, expect, test } from 'vitest'
import { byKey, newStream, OpenedKinesis } from './opened-kinesis.ts'

const STREAM = { stream: 's' }
const HALF = 2n ** 127n
const HOUR = 3_600_000

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

describe('reshards', () => {
  test('children are cut after the batch that has the end of their parents', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1', 'b1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    const [parent = ''] = kinesis.shards('s').map(({ ShardId }) => ShardId)
    kinesis.split('s', parent, HALF)
    kinesis.put('s', ['a2', 'b2'])
    await opened.pass(2_000)
    expect(opened.texts()).toEqual(['a1', 'b1'])
    expect(opened.cuts[0]?.map(({ range }) => range.upTo.kind)).toEqual(['END'])
    expect(opened.texts().sort()).toEqual(['a2', 'b2'])
    expect(opened.kinds).toEqual(['shard-ended', 'shard-found', 'shard-found', 'shard-split'])
    expect(opened.lines.slice(1)).toEqual([
      'A shard was read to its end',
      'A shard was found',
      'A shard was found',
      'A shard was split',
    ])
  })

  test('a merge waits for both parents', async () => {
    const kinesis = newStream(2)
    const [left = '', right = ''] = kinesis.shards('s').map(({ ShardId }) => ShardId)
    const faults = [{ kind: 'error', operation: 'GetRecords', shard: right, times: 30 }] as const
    const slow = newStream(2, { faults }, kinesis.clock)
    slow.put('s', ['a1', 'b1', 'c1', 'd1'])
    slow.merge('s', left, right)
    slow.put('s', ['a2'])
    opened = await OpenedKinesis.start(slow, STREAM)
    await opened.pass(5_000)
    const first = opened.texts()
    expect(first).not.toContain('a2')
    expect(opened.texts()).toEqual([])
    await opened.pass(120_000, 100)
    const second = [...opened.texts(), ...opened.texts()]
    expect([...first, ...second].sort()).toEqual(['a1', 'a2', 'b1', 'c1', 'd1'])
    expect(second.at(-1)).toBe('a2')
  })

  test('the order of each key is kept while shards double and halve under load', async () => {
    const kinesis = newStream(2, { limits: 'off' })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    const sent: string[] = []
    const got: string[] = []
    for (let round = 0; round < 40; round++) {
      const texts = [...'abcdefgh'].map((key) => `${key}:${round}`)
      kinesis.put('s', texts)
      sent.push(...texts)
      const TargetShardCount = { 8: 4, 16: 8, 24: 4, 32: 2 }[round]
      if (TargetShardCount !== undefined) {
        const scaling = { ScalingType: 'UNIFORM_SCALING', TargetShardCount }
        kinesis.call('UpdateShardCount', { StreamName: 's', ...scaling })
      }
      await opened.pass(200)
      got.push(...opened.texts())
    }
    for (let more = 0; more < 20; more++) {
      await opened.pass(1_000)
      got.push(...opened.texts())
    }
    expect(byKey(got)).toEqual(byKey(sent))
    expect(opened.failures).toEqual([])
    expect(opened.kinds).toContain('shards-merged')
  })

  test('an ended shard that has left the stream is forgotten, in the log too', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    const [parent = ''] = kinesis.shards('s').map(({ ShardId }) => ShardId)
    kinesis.split('s', parent, HALF)
    for (let hour = 0; hour < 26; hour++) {
      kinesis.put('s', ['a2', 'z2'])
      await opened.pass(HOUR, 60_000)
      opened.cut()
    }
    expect(kinesis.shards('s')).toHaveLength(2)
    expect(opened.kinds).toContain('shard-forgotten')
    expect(opened.positions.map(({ partition }) => partition)).not.toContain(parent)
    expect(opened.positions).toHaveLength(2)
  })

  test('goes on with children whose parents have left the stream', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    const [parent = ''] = kinesis.shards('s').map(({ ShardId }) => ShardId)
    kinesis.split('s', parent, HALF)
    await opened.pass(2_000)
    opened.cut()
    const { positions } = opened
    await opened.stop()
    kinesis.clock.advance(23 * HOUR)
    kinesis.put('s', ['a2', 'z2'])
    kinesis.clock.advance(HOUR)
    expect(kinesis.shards('s')).toHaveLength(2)
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, onGap: 'earliest' }, positions)
    expect(opened.positions.map(({ partition }) => partition)).not.toContain(parent)
    await opened.pass(2_000)
    expect(opened.texts().sort()).toEqual(['a2', 'z2'])
  })
})
