import { afterEach, describe, expect, test } from 'vitest'
import { newStream, OpenedKinesis } from './opened-kinesis.ts'
import type { SimulatedKinesis } from './simulated-client.ts'

const STREAM = { stream: 's' }
const HOUR = 3_600_000

let opened: OpenedKinesis | undefined

afterEach(async () => {
  await opened?.stop()
  opened = undefined
})

describe('gaps', () => {
  async function committed(kinesis: SimulatedKinesis) {
    const { positions } = await OpenedKinesis.committed(kinesis, STREAM)
    return positions
  }

  test('what was dropped while nobody read is refused, with the lost range', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    const positions = await committed(kinesis)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(25 * HOUR)
    kinesis.put('s', ['a3'])
    const failed = OpenedKinesis.start(kinesis, STREAM, positions)
    await expect(failed).rejects.toMatchObject({ code: 'SOURCE_GAP' })
    await expect(failed).rejects.toThrow(/arrived from 2023-11-14T22:13.* to 2023-11-14T23:13/)
    opened = undefined
  })

  test.each([
    { onGap: 'earliest', texts: ['a3', 'a4'] },
    { onGap: 'skip', texts: ['a4'] },
  ] as const)('onGap $onGap goes on with $texts', async ({ onGap, texts }) => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    const positions = await committed(kinesis)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(25 * HOUR)
    kinesis.put('s', ['a3'])
    kinesis.clock.advance(1_000)
    opened = await OpenedKinesis.start(kinesis, { ...STREAM, onGap }, positions)
    await opened.pass(1_000)
    kinesis.put('s', ['a4'])
    await opened.pass(2_000)
    expect(opened.texts()).toEqual(texts)
    expect(opened.kinds).toEqual(['gap-passed'])
  })

  test('an idle shard is no gap, however old its last record is', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    for (let hour = 0; hour < 48; hour++) {
      await opened.pass(HOUR, 60_000)
      opened.cut()
    }
    await opened.stop()
    const { positions } = opened
    kinesis.clock.advance(2 * HOUR)
    opened = await OpenedKinesis.start(kinesis, STREAM, positions)
    kinesis.put('s', ['a2'])
    await opened.pass(2_000)
    expect(opened.texts()).toEqual(['a2'])
  })

  test('a stream that was made anew under its name is refused', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    const positions = await committed(kinesis)
    kinesis.call('DeleteStream', { StreamName: 's' })
    kinesis.clock.advance(5_000)
    kinesis.createStream('s', 1)
    kinesis.put('s', ['b1'])
    const failed = OpenedKinesis.start(kinesis, STREAM, positions)
    await expect(failed).rejects.toThrow(/SOURCE_GAP|another was made under its name/)
    const goesOn = { ...STREAM, onGap: 'earliest' } as const
    opened = await OpenedKinesis.start(kinesis, goesOn, positions)
    await opened.pass(1_000)
    expect(opened.texts()).toEqual(['b1'])
  })

  test('a stream that is made anew while it is read ends the run', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(2_000)
    kinesis.call('DeleteStream', { StreamName: 's' })
    kinesis.clock.advance(10)
    kinesis.createStream('s', 1)
    kinesis.clock.advance(2_000)
    await opened.pass(5_000)
    expect(opened.failures).toHaveLength(1)
    expect(opened.failures[0]).toMatchObject({ code: 'SOURCE_GAP' })
  })

  test('what is dropped while a reader is held back ends the run', async () => {
    const kinesis = newStream(1)
    kinesis.put('s', ['a1'])
    opened = await OpenedKinesis.start(kinesis, STREAM)
    await opened.pass(2_000)
    kinesis.put('s', ['a2'])
    kinesis.clock.advance(30 * HOUR)
    kinesis.put('s', ['a3'])
    await opened.pass(5_000)
    expect(opened.failures).toHaveLength(1)
    expect(String(opened.failures[0])).toMatch(/is lost unread/)
  })
})
