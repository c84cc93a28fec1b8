import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { State } from 'millrace'
import { describe, expect, test } from 'vitest'
import { mulberry32 } from '../../src/batch/recipes.ts'
import { MapWithStateOperator } from '../../src/state/map-with-state-operator.ts'
import { byKey, Crew, type Pair } from './crew.ts'

const PARTITIONS = 2

type Mapping<S> = (key: string, value: unknown, state: State<S>) => unknown

function crewOf<S>(f: Mapping<S>, timeoutMs?: number): Crew {
  const options = { f: f as never, partitions: PARTITIONS, initialState: [], timeoutMs }
  return new Crew((seat) => new MapWithStateOperator('m', options, seat), 1)
}

function snapshotOf(crew: Crew): Pair[] {
  const operator = crew.workers[0] as MapWithStateOperator
  return operator.current().parts.flatMap((part) => {
    const piece = part?.[0]
    return Array.from({ length: piece?.length ?? 0 }, (_, i) => piece?.at(i) as Pair)
  })
}

/** mapWithState by hand: a running sum that is removed by 0, with a timeout. */
class ByHand {
  readonly #state = Array.from({ length: PARTITIONS }, () => new Map<string, [number, number]>())
  readonly #timeout: number

  constructor(timeout: number) {
    this.#timeout = timeout
  }

  batch(time: number, pairs: readonly Pair[]): unknown[][] {
    return byKey(pairs, PARTITIONS).map((part, p) => {
      const state = this.#state[p] as Map<string, [number, number]>
      const emitted: unknown[] = []
      for (const [key, value] of part as [string, number][]) {
        const sum = (state.get(key)?.[0] ?? 0) + value
        if (value === 0) state.delete(key)
        else state.set(key, [sum, time])
        emitted.push([key, value === 0 ? 'removed' : sum])
      }
      for (const [key, [sum, touched]] of [...state]) {
        if (touched >= time - this.#timeout) continue
        state.delete(key)
        emitted.push([key, 'out', sum])
      }
      return emitted
    })
  }

  all(): Pair[] {
    return this.#state.flatMap((state) => [...state].map(([key, [sum]]): Pair => [key, sum]))
  }
}

const removing: Mapping<number> = (key, value, state) => {
  if (state.isTimingOut()) return [key, 'out', state.get()]
  const sum = (state.exists() ? state.get() : 0) + (value as number)
  if (value === 0) state.remove()
  else state.update(sum)
  return [key, value === 0 ? 'removed' : sum]
}

describe('mapWithState', () => {
  test.each([1, 3, 10])(
    'is what it is by hand, to the order of the keys, timeout %d',
    (timeout) => {
      const random = mulberry32(timeout)
      const crew = crewOf(removing, timeout)
      const hand = new ByHand(timeout)
      let time = 0
      for (let batch = 0; batch < 150; batch++) {
        time += random() < 0.1 ? Math.ceil(random() * 5) : 1
        const pairs = Array.from({ length: Math.floor(random() * 30) }, (): Pair => {
          const key = Math.floor(random() * random() * 90)
          return [`key ${key}`, Math.floor(random() * 6)]
        })
        if (random() < 0.2) crew.attempt(time, byKey(pairs.slice(7), PARTITIONS))
        expect(crew.batch(time, byKey(pairs, PARTITIONS))).toEqual(hand.batch(time, pairs))
        expect(snapshotOf(crew)).toEqual(hand.all())
      }
    },
  )

  test('calls its function for keys with values only', () => {
    const called: string[] = []
    const crew = crewOf<number>((key, value, state) => {
      called.push(key)
      state.update(value as number)
    })
    crew.batch(
      1,
      byKey(
        Array.from({ length: 1_000 }, (_, i) => [`${i}`, i]),
        PARTITIONS,
      ),
    )
    called.length = 0
    crew.batch(2, byKey([['7', 0]], PARTITIONS))
    expect(called).toEqual(['7'])
  })
})

describe('the state of one call', () => {
  const seen = <S>(f: Mapping<S>, ...values: unknown[]): unknown[] => {
    const crew = crewOf(f)
    return values.flatMap((value, i) =>
      crew.batch(i + 1, byKey([['k', value]], PARTITIONS)).flat(1),
    )
  }

  test('shows what was updated and removed before', () => {
    const shows = seen<number>(
      (_key, value, state) => {
        const before = state.exists() ? state.get() : 'none'
        if (value === 'remove') state.remove()
        else state.update(value as number)
        return [before, state.exists()]
      },
      1,
      2,
      'remove',
      3,
    )
    expect(shows).toEqual([
      ['none', true],
      [1, true],
      [2, false],
      ['none', true],
    ])
  })

  test('refuses get() without a state, and changes after it was removed', () => {
    const errors = seen<number>((_key, _value, state) => {
      const messages: string[] = []
      const refused = (call: () => void) => {
        try {
          call()
        } catch (error) {
          messages.push((error as RangeError).message)
        }
      }
      refused(() => state.get())
      state.update(1)
      state.remove()
      refused(() => state.update(2))
      refused(() => state.remove())
      refused(() => state.get())
      return messages
    }, 1)
    expect(errors).toEqual([
      [
        'Cannot get the state of a key that has none: ask exists() first',
        'Cannot update the state of a key: it has been removed',
        'Cannot remove the state of a key: it has been removed',
        'Cannot get the state of a key that has none: ask exists() first',
      ],
    ])
  })

  test('refuses to be used after the call has ended, whatever comes later', () => {
    const kept: State<number>[] = []
    seen<number>(
      (_key, value, state) => {
        state.update(value as number)
        kept.push(state)
        for (const old of kept.slice(0, -1)) {
          const ended = /the call that it was given to has ended/
          expect(() => old.get()).toThrow(ended)
          expect(() => old.exists()).toThrow(ended)
          expect(() => old.update(9)).toThrow(ended)
          expect(() => old.remove()).toThrow(ended)
          expect(() => old.isTimingOut()).toThrow(ended)
        }
        return state.get()
      },
      1,
      2,
      3,
    )
    expect(kept).toHaveLength(3)
    expect(() => kept[2]?.update(9)).toThrow(RangeError)
  })

  test('keeps an object as it was when the call ended, and not what is changed later', () => {
    const shared = { n: 0 }
    const shows = seen<{ n: number }>(
      (_key, value, state) => {
        const before = state.exists() ? state.get().n : -1
        shared.n = 100
        state.update(shared)
        shared.n = value as number
        return before
      },
      1,
      2,
      3,
    )
    expect(shows).toEqual([-1, 1, 2])
  })

  test('does not keep what was changed in place without update()', () => {
    const shows = seen<{ n: number }>(
      (_key, value, state) => {
        if (!state.exists()) state.update({ n: 0 })
        else state.get().n += value as number
        return state.get().n
      },
      1,
      2,
      3,
    )
    expect(shows).toEqual([0, 2, 3])
  })

  test('names the state that cannot be stored', () => {
    const crew = crewOf<unknown>((_key, _value, state) => state.update(() => 1))
    expect(() => crew.batch(1, byKey([['k', 1]], PARTITIONS))).toThrow(
      /Cannot store the state "m" of a key: it holds a function/,
    )
  })
})

test('keys and texts in state do not keep the block that they were cut from', () => {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  const heapBytes = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  const crew = crewOf<string>((_key, value, state) => state.update(value as string))
  const before = heapBytes()
  for (let batch = 1; batch <= 100; batch++) {
    const block = `${String(batch).padStart(20, '0')}${'x'.repeat(2 ** 20)}`
    const pairs: Pair[] = [
      [block.slice(0, 20), 'a value'],
      ['a key', block.slice(3, 40)],
      [`another key ${batch}`, block.slice(5, 50)],
    ]
    crew.batch(batch, byKey(pairs, PARTITIONS))
  }
  expect(heapBytes() - before).toBeLessThan(10 * 2 ** 20)
  expect(snapshotOf(crew)).toHaveLength(201)
})
