// Six chains of one shape, map, filter, map, filter, map, each with closures of its own in the
// text, and each as the loop that one would write instead.

import type { DStream } from '../src/dstream/dstream.ts'

/** One chain, both ways. */
export interface Chain {
  readonly build: (numbers: DStream<number>) => DStream<number>
  readonly byHand: (input: readonly number[]) => number[]
}

export const chains: readonly Chain[] = [
  {
    build: (numbers) =>
      numbers
        .map((x) => x + 1)
        .filter((x) => x % 3 !== 0)
        .map((x) => x * 2)
        .filter((x) => x % 5 !== 1)
        .map((x) => x - 1),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) + 1
        if (a % 3 === 0) continue
        const b = a * 2
        if (b % 5 === 1) continue
        out.push(b - 1)
      }
      return out
    },
  },
  {
    build: (numbers) =>
      numbers
        .map((x) => x * 3)
        .filter((x) => x % 4 !== 1)
        .map((x) => x + 7)
        .filter((x) => x % 7 !== 2)
        .map((x) => x * 5),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) * 3
        if (a % 4 === 1) continue
        const b = a + 7
        if (b % 7 === 2) continue
        out.push(b * 5)
      }
      return out
    },
  },
  {
    build: (numbers) =>
      numbers
        .map((x) => x - 4)
        .filter((x) => x % 5 !== 3)
        .map((x) => x * 9)
        .filter((x) => x % 11 !== 4)
        .map((x) => x + 6),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) - 4
        if (a % 5 === 3) continue
        const b = a * 9
        if (b % 11 === 4) continue
        out.push(b + 6)
      }
      return out
    },
  },
  {
    build: (numbers) =>
      numbers
        .map((x) => x ^ 21)
        .filter((x) => x % 3 !== 1)
        .map((x) => x + 8)
        .filter((x) => x % 4 !== 3)
        .map((x) => x * 2),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) ^ 21
        if (a % 3 === 1) continue
        const b = a + 8
        if (b % 4 === 3) continue
        out.push(b * 2)
      }
      return out
    },
  },
  {
    build: (numbers) =>
      numbers
        .map((x) => x * 7)
        .filter((x) => x % 6 !== 5)
        .map((x) => x - 3)
        .filter((x) => x % 5 !== 2)
        .map((x) => x ^ 9),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) * 7
        if (a % 6 === 5) continue
        const b = a - 3
        if (b % 5 === 2) continue
        out.push(b ^ 9)
      }
      return out
    },
  },
  {
    build: (numbers) =>
      numbers
        .map((x) => x + 9)
        .filter((x) => x % 7 !== 6)
        .map((x) => x * 4)
        .filter((x) => x % 9 !== 8)
        .map((x) => x - 2),
    byHand(input) {
      const out: number[] = []
      for (let i = 0; i < input.length; i++) {
        const a = (input[i] as number) + 9
        if (a % 7 === 6) continue
        const b = a * 4
        if (b % 9 === 8) continue
        out.push(b - 2)
      }
      return out
    },
  },
]
