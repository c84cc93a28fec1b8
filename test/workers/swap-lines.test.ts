import { MessageChannel } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { SwapLines } from '../../src/workers/swap-lines.ts'

/** Two workers with a line between them. */
function pair(): [SwapLines, SwapLines] {
  const { port1, port2 } = new MessageChannel()
  return [
    new SwapLines(2, 0, [{ worker: 1, port: port1 }]),
    new SwapLines(2, 1, [{ worker: 0, port: port2 }]),
  ]
}

const parcel = (content: unknown) => ({ content, buffers: [] })

describe('SwapLines', () => {
  test('swaps parcels in the order of the swaps, whoever is first', async () => {
    const [a, b] = pair()
    a.begin(1)
    const first = a.swap([undefined, parcel('a1')], [1])
    b.begin(1)
    expect(await b.swap([parcel('b1'), undefined], [0])).toEqual(['a1'])
    const second = b.swap([parcel('b2'), undefined], [0])
    expect((await first)[1]).toBe('b1')
    expect((await a.swap([undefined, parcel('a2')], [1]))[1]).toBe('b2')
    expect(await second).toEqual(['a2'])
    a.close()
  })

  test('drops what is left of an attempt that was given up', async () => {
    const [a, b] = pair()
    a.begin(1)
    b.begin(1)
    await a.swap([undefined, parcel('old')], [])
    b.abort(1, new Error('given up'))
    await expect(b.swap([parcel('b'), undefined], [0])).rejects.toThrow('given up')
    a.begin(2)
    b.begin(2)
    const fresh = a.swap([undefined, parcel('fresh')], [1])
    expect(await b.swap([parcel('b'), undefined], [0])).toEqual(['fresh'])
    await fresh
    a.close()
  })

  test('rejects the swaps of an attempt that is given up, begun or not', async () => {
    const [a] = pair()
    a.begin(1)
    const waits = a.swap([undefined, parcel('a')], [1])
    a.abort(1, new Error('another failed'))
    await expect(waits).rejects.toThrow('another failed')
    a.abort(2, new Error('before it began'))
    a.begin(2)
    await expect(a.swap([], [1])).rejects.toThrow('before it began')
    a.begin(3)
    expect(await a.swap([], [])).toEqual([])
    a.close()
  })

  test('say whether the attempt is given up', () => {
    const [a] = pair()
    a.begin(1)
    expect(() => a.throwIfGivenUp()).not.toThrow()
    a.abort(1, new Error('another failed'))
    expect(() => a.throwIfGivenUp()).toThrow('another failed')
    a.begin(2)
    expect(() => a.throwIfGivenUp()).not.toThrow()
    a.close()
  })
})
