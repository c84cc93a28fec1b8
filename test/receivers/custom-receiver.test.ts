// What a receiver of one's own stores.

import { customReceiver } from 'millrace/sources'
import { ManualClock } from 'millrace/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openCustom, settled } from './opened-custom-receiver.ts'
import { OpenedSource, recordsOf, summaryOf } from './opened-source.ts'

let clock: ManualClock
beforeEach(() => {
  clock = new ManualClock(1_000)
})
afterEach(() => OpenedSource.stopAll())

describe('records that are stored', () => {
  test('one by one and many at once come in their order', async () => {
    const { source, supervisor } = await openCustom<unknown>(clock)
    await supervisor.store('a')
    await supervisor.storeAll(['b', { c: -0 }])
    await supervisor.storeAll(new Set([new Uint8Array([1])]))
    expect(await source.records()).toEqual(['a', 'b', { c: -0 }, new Uint8Array([1])])
    expect(await source.records()).toEqual([])
  })

  test('are what they were when they were stored', async () => {
    const { source, supervisor } = await openCustom<number[]>(clock)
    const record = [1]
    await supervisor.store(record)
    record.push(2)
    const cut = await source.cut()
    for (const read of recordsOf(cut) as number[][]) read.push(3)
    expect(recordsOf(cut)).toEqual([[1]])
  })

  test('by ten producers at once are all there, each of them once', async () => {
    const { source, supervisor } = await openCustom<number>(clock, { bufferBytesMax: 500 })
    const produce = async (producer: number): Promise<void> => {
      for (let i = 0; i < 1_000; i++) await supervisor.store(producer * 1_000 + i)
    }
    let producing = true
    const produced = Promise.all(Array.from({ length: 10 }, (_, i) => produce(i))).then(() => {
      producing = false
    })
    const records: unknown[] = []
    while (producing) {
      records.push(...(await source.records()))
      expect(source.receiver.bufferedBytes()).toBeLessThan(6_000)
      await settled()
    }
    await produced
    records.push(...(await source.records()))
    expect(records.sort((a, b) => Number(a) - Number(b))).toEqual([...Array(10_000).keys()])
  })

  const unstorable =
    'that no checkpoint could keep are refused, and none of those with them is stored'
  test(unstorable, async () => {
    const { source, supervisor } = await openCustom<unknown>(clock)
    await expect(supervisor.storeAll([1, () => 2])).rejects.toThrow(/a record of receiver "custom"/)
    expect(await source.records()).toEqual([])
  })

  test('after the end are refused', async () => {
    const { source, supervisor } = await openCustom<number>(clock)
    await source.receiver.stop()
    const refused = { code: 'RECEIVER_STOPPED' }
    await expect(supervisor.store(2)).rejects.toMatchObject(refused)
    await expect(supervisor.storeAll([2])).rejects.toMatchObject(refused)
    expect(await source.records()).toEqual([])
  })

  test('while the receiver waits to start again are kept', async () => {
    const { source, supervisor } = await openCustom<number>(clock)
    supervisor.restart('again')
    await settled()
    await supervisor.store(1)
    expect(await source.records()).toEqual([1])
  })

  test('until onStop has ended are all taken before a stop has ended', async () => {
    const order: string[] = []
    const rest: { produce: () => Promise<void> } = { produce: () => Promise.resolve() }
    const { source, supervisor } = await openCustom<number>(
      clock,
      {},
      { onStop: () => rest.produce() },
    )
    rest.produce = async () => {
      expect(supervisor.isStopped()).toBe(true)
      for (let i = 1; i <= 15; i++) {
        await settled()
        await supervisor.store(i)
      }
      order.push('produced')
    }
    await source.receiver.stop()
    order.push('stopped')
    expect(order).toEqual(['produced', 'stopped'])
    expect(await source.records()).toEqual(Array.from({ length: 15 }, (_, i) => i + 1))
  })

  test('say their number in errors', async () => {
    const { source, supervisor } = await openCustom<number>(clock)
    await supervisor.storeAll([1, 2])
    await source.cut({ recordsMax: 1 })
    const [data] = await source.cut()
    expect(data?.blocks[0]?.positionAt(0)).toBe('record 1')
  })
})

describe('the buffer of a receiver', () => {
  test('makes a store wait until a batch has taken what is there', async () => {
    const { source, supervisor } = await openCustom<string>(clock, { bufferBytesMax: 100 })
    const stored: number[] = []
    const storeAll = (async () => {
      for (let i = 0; i < 4; i++) {
        await supervisor.store('x'.repeat(60))
        stored.push(i)
      }
    })()
    await settled()
    expect(stored).toEqual([0, 1])
    expect(await source.records()).toHaveLength(2)
    await storeAll
    expect(stored).toEqual([0, 1, 2, 3])
    expect(await source.records()).toHaveLength(2)
  })

  test('refuses a store where too much waits already', async () => {
    const { source, supervisor } = await openCustom<string>(clock, { bufferBytesMax: 1_000 })
    const stores = Array.from({ length: 100 }, () => supervisor.store('x'.repeat(100)))
    const all = Promise.allSettled(stores)
    const refused = await Promise.any(stores.map((store) => store.then(Promise.reject, (e) => e)))
    expect(refused).toMatchObject({ code: 'BUFFER_FULL' })
    const records: unknown[] = []
    while (source.receiver.bufferedBytes() > 0) {
      records.push(...(await source.records()))
      await settled()
    }
    const stored = (await all).filter(({ status }) => status === 'fulfilled')
    expect(stored.length).toBeGreaterThan(10)
    expect(stored.length).toBeLessThan(25)
    expect(records).toHaveLength(stored.length)
  })

  test('takes what waits at a stop, and lets nobody wait for a run that has ended', async () => {
    const { source, supervisor } = await openCustom<number>(clock, { bufferBytesMax: 3 })
    const stores = [1, 2, 3].map((n) => supervisor.store(n))
    await source.receiver.stop()
    await Promise.all(stores)
    expect(await source.records()).toEqual([1, 2, 3])

    const other = await openCustom<number>(clock, { bufferBytesMax: 3 })
    const waiting = [1, 2, 3].map((n) => other.supervisor.store(n))
    other.source.abort()
    await Promise.all(waiting)
    await expect(other.supervisor.store(4)).rejects.toThrow(/it is stopped/)
    await other.source.receiver.stop()
    expect(other.calls).toEqual(['onStart', 'onStop'])
  })

  test('holds blocks of at most a mebibyte, whatever is stored at once', async () => {
    const { source, supervisor } = await openCustom<string>(clock, { bufferBytesMax: 100_000_000 })
    await supervisor.storeAll(Array.from({ length: 300 }, () => 'x'.repeat(10_000)))
    const [data] = await source.cut({ bytesMax: 100_000_000 })
    const sizes = data?.blocks.map((block) => block.bytes) ?? []
    expect(sizes.length).toBe(3)
    expect(Math.max(...sizes)).toBeLessThan(1_048_576 + 10_010)
  })
})

describe('the rate of a receiver', () => {
  test('is kept by what is stored, from whoever sets it', async () => {
    const { source, supervisor } = await openCustom<number>(clock, { rateMax: 100 })
    let stored = 0
    const producing = (async () => {
      for (let i = 0; i < 150; i++) {
        await supervisor.store(i)
        stored += 1
      }
    })()
    const pass = async (ms: number): Promise<number> => {
      const before = stored
      for (let i = 0; i < ms / 10; i++) {
        clock.advance(10)
        await settled()
      }
      return stored - before
    }
    await settled()
    expect(stored).toBe(1)
    expect(await pass(500)).toBe(50)
    source.receiver.setRate?.(10)
    expect(await pass(1_000)).toBe(10)
    source.receiver.setRate?.(1_000)
    expect(await pass(500)).toBe(50)
    source.receiver.setRate?.(0)
    expect(await pass(500)).toBe(39)
    await producing
    expect(await source.records()).toEqual([...Array(150).keys()])
  })

  test('lets in what is stored at once bit by bit', async () => {
    const { source, supervisor } = await openCustom<number>(clock, { rateMax: 10 })
    const storing = supervisor.storeAll([...Array(21).keys()])
    expect(await source.records()).toEqual([0])
    clock.advance(1_000)
    expect(await source.records()).toHaveLength(10)
    clock.advance(900)
    expect(await source.records()).toHaveLength(9)
    clock.advance(100)
    await storing
    expect(await source.records()).toEqual([20])
  })
})

describe('a restart of the pipeline', () => {
  test('counts on where the committed batch ended, and has lost what was not', async () => {
    const first = await openCustom<string>(clock)
    await first.supervisor.storeAll(['a', 'b'])
    const cut = await first.source.cut()
    expect(summaryOf(await first.source.receiver.replay(cut.map(({ range }) => range)))).toEqual([
      { partition: 'stored', records: 0, crc: 0 },
    ])
    const description = customReceiver<string>('custom', (supervisor) => ({
      onStart: () => supervisor.store('c'),
    }))
    const from = first.source.positions
    const second = await OpenedSource.start(description, { clock, from })
    const [data] = await second.cut()
    expect(data?.range).toMatchObject({
      after: { kind: 'sequence', sequence: '2' },
      upTo: { kind: 'sequence', sequence: '3' },
    })
    expect(data?.blocks[0]?.positionAt(0)).toBe('record 2')
  })
})

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
  'a rateMax of %s is refused',
  (rateMax) => {
    expect(() => customReceiver('c', () => ({ onStart: () => undefined }), { rateMax })).toThrow(
      /must be greater than 0/,
    )
  },
)
