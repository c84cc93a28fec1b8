import { type Check, checkCounts, EMPTY, plus } from '../check.ts'
import { type Count, occurs, subtract, topOf } from '../closures.ts'
import type { Hand } from './hand-loop.ts'
import { addTo, CountingHalf, countWords } from './word-count.ts'

const PANES = 30

/** Counts of the last 30 batches, by adding the newest and subtracting the one that leaves. */
class SlidingCounts {
  readonly #panes: Map<string, number>[] = []
  readonly #window = new Map<string, number>()

  slide(fresh: Map<string, number>): Map<string, number> {
    this.#panes.push(fresh)
    for (const [word, count] of fresh) addTo(this.#window, word, count)
    if (this.#panes.length > PANES) {
      for (const [word, count] of this.#panes.shift() ?? []) this.#take(word, count)
    }
    return this.#window
  }

  #take(word: string, count: number): void {
    const left = subtract(this.#window.get(word) ?? 0, count)
    if (occurs([word, left])) this.#window.set(word, left)
    else this.#window.delete(word)
  }
}

function windowed<Part>(
  partOf: (window: Iterable<Count>) => Part,
  combine: Hand<Part>['combine'],
): Hand<Part> {
  return {
    loop() {
      const counts = new SlidingCounts()
      return { batch: ([text = []]) => combine([partOf(counts.slide(countWords(text)))]) }
    },
    half(self) {
      const half = new CountingHalf(self)
      const counts = new SlidingCounts()
      return {
        scatter: ([text = []]) => half.scatter(text),
        gather: (arrived) => partOf(counts.slide(half.gather(arrived))),
      }
    },
    combine,
  }
}

export const slidingWordCount: Hand<Check> = windowed(checkCounts, (parts) =>
  parts.reduce(plus, EMPTY),
)

export const topK: Hand<Count[]> = windowed(topOf, (parts) => checkCounts(topOf(parts.flat(1))))
