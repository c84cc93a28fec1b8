// What the producer wrote, and what must come of it: the input of each batch is a function of its
// id, and the expected outputs are folds over plain arrays that share no code with the engine.

import { pickFrom } from './picks.ts'

/** The records of two streams for each batch; batch n is at n − 1. */
export interface WrittenInput {
  readonly left: readonly (readonly string[])[]
  readonly right: readonly (readonly string[])[]
}

/** The records of each output, by batch id. */
export type Expected = Readonly<Record<string, ReadonlyMap<number, readonly unknown[]>>>

/** Writes `records` records for each stream and batch, over about three keys for four records. */
export function writtenInput(batches: number, records: number): WrittenInput {
  const side = (salt: number): string[][] =>
    Array.from({ length: batches }, (_, i) => {
      const pick = pickFrom(salt + i)
      const keys = Math.ceil(records * 1.5)
      return Array.from({ length: records }, () => `key-${pick(keys)}`)
    })
  return { left: side(1_000), right: side(2_000) }
}

/** Each record of the left stream, marked. */
export function expectedOfStateless({ left }: WrittenInput): Expected {
  return { marked: byBatch(left, (words) => words.map((word) => `${word}!`)) }
}

const WINDOW = 3

/** Totals since the beginning, and counts over three batches. */
export function expectedOfCounted({ left }: WrittenInput): Expected {
  const totals = new Map<string, number>()
  return {
    totals: byBatch(left, (words) => {
      for (const word of words) totals.set(word, (totals.get(word) ?? 0) + 1)
      return [...totals]
    }),
    window: byBatch(left, (_words, i) => {
      const counts = new Map<string, number>()
      for (const word of left.slice(Math.max(0, i + 1 - WINDOW), i + 1).flat()) {
        counts.set(word, (counts.get(word) ?? 0) + 1)
      }
      return [...counts]
    }),
  }
}

const WAIT = 2

/** Pairs of what stands in both streams, at most two batches apart, and what found no partner. */
export function expectedOfJoined({ left, right }: WrittenInput): Expected {
  const waiting = new Map<string, { side: string; since: number; seen: number }>()
  const snapshots = new Map<number, unknown[]>()
  const met = byBatch(left, (words, i) => {
    const out: string[] = []
    const take = (side: string) => (key: string) => {
      const found = waiting.get(key)
      if (found !== undefined && found.side !== side) {
        out.push(`${key} ${found.side}${found.since} met ${side}${i + 1}`)
        waiting.delete(key)
      } else if (found === undefined) waiting.set(key, { side, since: i + 1, seen: i + 1 })
      else found.seen = i + 1
    }
    words.forEach(take('l'))
    right[i]?.forEach(take('r'))
    for (const [key, { side, since, seen }] of waiting) {
      if (i + 1 - seen <= WAIT) continue
      out.push(`${key} ${side}${since} alone`)
      waiting.delete(key)
    }
    snapshots.set(
      i + 1,
      [...waiting].map(([key, { side, since }]) => [key, `${side}${since}`]),
    )
    return out
  })
  return { met, waiting: snapshots }
}

function byBatch(
  batches: readonly (readonly string[])[],
  make: (words: readonly string[], index: number) => unknown[],
): Map<number, unknown[]> {
  return new Map(batches.map((words, i) => [i + 1, make(words, i)]))
}
