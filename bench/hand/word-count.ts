import { type Check, checkCounts, EMPTY, plus } from '../check.ts'
import { add, wordsOf } from '../closures.ts'
import { forEachLine, forEachPair, type Hand, Outbox, ownerOf, type Text } from './hand-loop.ts'

/** The words of a text with their counts. */
export function countWords(text: Text): Map<string, number> {
  const counts = new Map<string, number>()
  forEachLine(text, (line) => {
    for (const word of wordsOf(line)) counts.set(word, add(counts.get(word) ?? 0, 1))
  })
  return counts
}

/** Adds to the count of a key. */
export function addTo(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, add(counts.get(key) ?? 0, count))
}

/** Counts half of a batch and exchanges the words with the other thread: each owns its half. */
export class CountingHalf {
  readonly #self: number
  #own = new Map<string, number>()

  constructor(self: number) {
    this.#self = self
  }

  scatter(text: Text): readonly [ReturnType<Outbox['columns']>] {
    const others = new Outbox()
    this.#own = new Map()
    for (const [word, count] of countWords(text)) {
      if (ownerOf(word) === this.#self) this.#own.set(word, count)
      else others.push(word, count)
    }
    return [others.columns()]
  }

  /** The words of the batch that this thread owns. */
  gather([arrived]: Parameters<ReturnType<Hand['half']>['gather']>[0]): Map<string, number> {
    const own = this.#own
    if (arrived !== undefined) forEachPair(arrived, (word, count) => addTo(own, word, count))
    return own
  }
}

export const wordCount: Hand<Check> = {
  loop() {
    const totals = new Map<string, number>()
    let counts = new Map<string, number>()
    return {
      batch([text = []]) {
        counts = countWords(text)
        return checkCounts(counts)
      },
      addUp() {
        for (const [word, count] of counts) addTo(totals, word, count)
      },
      totals: () => checkCounts(totals),
    }
  },
  half(self) {
    const half = new CountingHalf(self)
    return {
      scatter: ([text = []]) => half.scatter(text),
      gather: (arrived) => checkCounts(half.gather(arrived)),
    }
  },
  combine: (parts) => parts.reduce(plus, EMPTY),
}
