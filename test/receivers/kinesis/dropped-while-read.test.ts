import type { PartitionPositions } from 'millrace'
import { afterEach, describe, expect, test } from 'vitest'
import { newStream, OpenedKinesis, textsOf } from './opened-kinesis.ts'
import type { SimulatedKinesis } from './simulated-client.ts'

const STREAM = { stream: 's' }
const HOUR = 3_600_000
const HALF = 2n ** 127n
const LONGER = { StreamName: 's', RetentionPeriodHours: 168 }

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

function firstShard(kinesis: SimulatedKinesis): string {
  return kinesis.shards('s')[0]?.ShardId ?? ''
}

/** Where a reader stands that has seen the end of a shard that was split, and not its children. */
async function afterSplit(kinesis: SimulatedKinesis): Promise<PartitionPositions> {
  const reader = await OpenedKinesis.start(kinesis, STREAM)
  await reader.pass(2_000)
  kinesis.split('s', firstShard(kinesis), HALF)
  await reader.pass(1_000)
  reader.cut()
  await reader.stop()
  return reader.positions
}

/** A reader that takes a record an hour and is 14 hours behind when its shard is split. */
async function lagging(kinesis: SimulatedKinesis): Promise<OpenedKinesis> {
  opened = await OpenedKinesis.start(kinesis, { ...STREAM, recordsPerCallMax: 1 })
  await opened.pass(1_000)
  opened.cut({ recordsMax: 1 })
  for (let hour = 0; hour < 20; hour++) {
    kinesis.put('s', [`a${hour}`])
    await opened.pass(HOUR, 600_000)
    if (hour % 4 === 0) opened.cut({ recordsMax: 1 })
  }
  kinesis.split('s', firstShard(kinesis), HALF)
  kinesis.put('s', ['a:child', 'z:child'])
  await opened.pass(120_000, 1_000)
  return opened
}

/** Takes a record an hour. */
async function takeSlowly(reader: OpenedKinesis, hours: number): Promise<string[]> {
  const got: string[] = []
  for (let hour = 0; hour < hours; hour++) {
    got.push(...reader.texts({ recordsMax: 1 }))
    await reader.pass(HOUR, 60_000)
  }
  return got
}

describe('the children of a shard that is read slowly', () => {
  test('are no gap: what they hold is newer than the end of their parent', async () => {
    const kinesis = newStream(1)
    const reader = await lagging(kinesis)
    const got = await takeSlowly(reader, 22)
    expect(reader.failures).toEqual([])
    expect(got.slice(-2).sort()).toEqual(['a:child', 'z:child'])
    expect(got).toHaveLength(17)
  })

  test('are none at a start either', async () => {
    const kinesis = newStream(1)
    let reader = await lagging(kinesis)
    const got: string[] = []
    for (let life = 0; life < 11; life++) {
      await reader.stop()
      const { positions } = reader
      opened = await OpenedKinesis.start(kinesis, { ...STREAM, recordsPerCallMax: 1 }, positions)
      reader = opened
      await reader.pass(2_000)
      got.push(...(await takeSlowly(reader, 2)))
      expect(reader.failures).toEqual([])
    }
    expect(got.filter((text) => text.endsWith('child')).sort()).toEqual(['a:child', 'z:child'])
  })

  test('are a gap once their records are gone', async () => {
    const kinesis = newStream(1)
    const positions = await afterSplit(kinesis)
    kinesis.put('s', ['a1', 'z1'])
    kinesis.clock.advance(25 * HOUR)
    const failed = OpenedKinesis.start(kinesis, STREAM, positions)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_GAP' })
  })
})

describe('a shard that vanishes while it is read', () => {
  async function vanish(onGap: 'fail' | 'earliest' | 'skip'): Promise<OpenedKinesis> {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, onGap })
    await opened.pass(2_000)
    kinesis.put('s', ['a2'])
    kinesis.split('s', firstShard(kinesis), HALF)
    kinesis.clock.advance(30 * HOUR)
    kinesis.put('s', ['a3', 'z3'])
    await opened.pass(120_000, 500)
    return opened
  }

  test('ends the run', async () => {
    const reader = await vanish('fail')
    expect(reader.failures).toHaveLength(1)
    expect(String(reader.failures[0])).toMatch(/the stream has no such shard any more/)
  })

  test.each(['earliest', 'skip'] as const)(
    'is passed with onGap %s, and its children are read',
    async (onGap) => {
      const reader = await vanish(onGap)
      expect(reader.failures).toEqual([])
      expect(reader.texts()).toEqual(['a1'])
      expect(reader.texts().sort()).toEqual(['a3', 'z3'])
      expect(reader.kinds.filter((kind) => kind === 'gap-passed')).toHaveLength(1)
      expect(reader.kinds).not.toContain('shard-ended')
    },
  )

  test('before it was known is a gap: its children tell of it', async () => {
    const kinesis = newStream(1)
    const positions = await afterSplit(kinesis)
    const [, left = ''] = kinesis.shards('s').map(({ ShardId }) => ShardId)
    kinesis.put('s', ['a1'])
    kinesis.split('s', left, HALF / 2n)
    kinesis.clock.advance(25 * HOUR)
    const failed = OpenedKinesis.start(kinesis, STREAM, positions)
    await expect(failed).rejects.toThrow(`shard "${left}"`)
    await expect(failed).rejects.toThrow(/the stream has no such shard any more/)
  })
})

describe('a stream that is made anew while it is read', () => {
  test('is noticed where the iterator had expired, and nothing of it is read', async () => {
    const kinesis = newStream(1)
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, startAt: 'LATEST' })
    await opened.pass(2_000)
    kinesis.call('DeleteStream', { StreamName: 's' })
    kinesis.clock.advance(400_000)
    kinesis.createStream('s', 1)
    kinesis.put('s', ['b1'])
    await opened.pass(5_000)
    expect(opened.failures[0]).toMatchObject({ code: 'SOURCE_GAP' })
    expect(String(opened.failures[0])).toMatch(/another was made under its name/)
    expect(opened.texts()).toEqual([])
  })

  test('is noticed within a minute where nothing else tells', async () => {
    const faults = [{ kind: 'error', operation: 'GetRecords', fromMs: 1_700_000_003_000 }] as const
    const kinesis = newStream(1, { faults })
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(2_500)
    kinesis.call('DeleteStream', { StreamName: 's' })
    kinesis.clock.advance(2_000)
    kinesis.createStream('s', 1)
    await opened.pass(61_000, 500)
    expect(String(opened.failures[0])).toMatch(/another was made under its name/)
  })
})

describe('a retention that was increased', () => {
  async function committed(kinesis: SimulatedKinesis): Promise<OpenedKinesis> {
    kinesis.put('s', ['a1'])
    return OpenedKinesis.committed(kinesis, STREAM)
  }

  test('after records were dropped does not hide that', async () => {
    const kinesis = newStream(1)
    const { positions } = await committed(kinesis)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(25 * HOUR)
    kinesis.put('s', ['a3'])
    kinesis.call('IncreaseStreamRetentionPeriod', LONGER)
    const failed = OpenedKinesis.start(kinesis, STREAM, positions)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_GAP' })
    opened = undefined
  })

  test.each([0, 1, 5])('before any was dropped is no gap, with %d empty pages', async (times) => {
    const fromMs = 1_700_000_000_000 + HOUR
    const empty = { kind: 'empty', operation: 'GetRecords', fromMs, times } as const
    const kinesis = newStream(1, { faults: [empty] })
    const { positions } = await committed(kinesis)
    kinesis.put('s', ['a2'])
    kinesis.call('IncreaseStreamRetentionPeriod', LONGER)
    kinesis.clock.advance(30 * HOUR)
    opened = await OpenedKinesis.start(kinesis, STREAM, positions)
    await opened.pass(3_000)
    expect(opened.texts()).toEqual(['a2'])
  })

  test('while a reader is held back does not hide what was dropped before', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(2_000)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(30 * HOUR)
    kinesis.call('IncreaseStreamRetentionPeriod', LONGER)
    await opened.pass(5_000)
    expect(opened.failures[0]).toMatchObject({ code: 'SOURCE_GAP' })
  })

  test('keeps an idle shard whose last record has gone by right', async () => {
    const kinesis = newStream(1)
    kinesis.call('IncreaseStreamRetentionPeriod', LONGER)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    for (let hour = 0; hour < 170; hour++) {
      await opened.pass(HOUR, 600_000)
      opened.cut()
    }
    await opened.stop()
    const { positions } = opened
    kinesis.clock.advance(50 * HOUR)
    kinesis.put('s', ['a2'])
    opened = await OpenedKinesis.start(kinesis, STREAM, positions)
    await opened.pass(2_000)
    expect(opened.texts()).toEqual(['a2'])
  })
})

describe('what is dropped', () => {
  test('while a read waits for its answer is a gap', async () => {
    const fromMs = 1_700_000_000_000 + HOUR
    const untilMs = 1_700_000_000_000 + 24 * HOUR + 60_000
    // The one that is let through has an iterator that expired.
    const outage = { kind: 'error', operation: 'GetRecords', fromMs, untilMs, skip: 1 } as const
    const kinesis = newStream(1, { faults: [outage] })
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(2_500)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(24 * HOUR - 30_000)
    kinesis.put('s', ['a3'])
    await opened.pass(180_000, 100)
    expect(opened.failures[0]).toMatchObject({ code: 'SOURCE_GAP' })
  })

  test.each([
    ['all', 25, 0],
    ['the beginning', 24, 30],
  ])('of a range that must be read again, %s, is a gap', async (_, hours, minutes) => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a0'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(1_000)
    opened.cut()
    kinesis.put('s', ['a1'])
    kinesis.clock.advance(HOUR)
    kinesis.put('s', ['a2'])
    await opened.pass(1_000)
    const ranges = opened.cut().map(({ range }) => range)
    await opened.stop()
    const { positions } = opened
    kinesis.clock.advance((hours - 1) * HOUR + minutes * 60_000)
    kinesis.put('s', ['a3', 'a4'])
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, onGap: 'earliest' }, positions)
    const again = opened.receiver.replay(ranges)
    again.catch(() => undefined)
    await opened.pass(3_000)
    await expect(again).rejects.toMatchObject({ code: 'SOURCE_GAP' })
    await expect(again).rejects.toThrow(/that arrived up to 2023-11-14T23:13/)
  })

  test('of a range, after which nothing is dropped, is not what is missing', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a0'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(1_000)
    opened.cut()
    kinesis.put('s', ['a1', 'a2'])
    await opened.pass(1_000)
    const again = opened.receiver.replay(opened.cut().map(({ range }) => range))
    await opened.pass(3_000)
    expect(textsOf(await again)).toEqual(['a1', 'a2'])
  })
})

describe('a start at a time', () => {
  test.each([
    ['before the stream was made', 1, []],
    ['older than the retention', 30, ['a1']],
  ])('%s begins with the oldest record', async (_, hours, gone) => {
    const kinesis = newStream(1)
    if (gone.length > 0) kinesis.put('s', ['a1'])
    kinesis.clock.advance(hours * HOUR)
    kinesis.put('s', ['a2'])
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, startAt: { timestamp: 0 } })
    await opened.pass(2_000)
    expect(opened.failures).toEqual([])
    expect(opened.texts()).toEqual(['a2'])
  })

  test('that has not come is refused', async () => {
    const kinesis = newStream(1)
    const startAt = { timestamp: kinesis.clock.wallMs() + HOUR }
    const failed = OpenedKinesis.start(kinesis, { ...STREAM, startAt })
    await expect(failed).rejects.toThrow(/Cannot start at .*: that time has not come yet/)
    opened = undefined
  })
})
