import { checkCounts, checkRow } from '../check.ts'
import { eventOf } from '../closures.ts'
import {
  type Columns,
  forEachLine,
  forEachPair,
  type Hand,
  Outbox,
  ownerOf,
  type Text,
} from './hand-loop.ts'

/** How many sums were given for a batch, and what they add up to. */
interface Given {
  readonly events: number
  readonly sums: number
}

class Sums {
  readonly state = new Map<string, number>()
  #events = 0
  #sums = 0

  add(key: string, value: number): void {
    const sum = (this.state.get(key) ?? 0) + value
    this.state.set(key, sum)
    this.#events += 1
    this.#sums += sum
  }

  /** What was given since the last call. */
  take(): Given {
    const given = { events: this.#events, sums: this.#sums }
    this.#events = 0
    this.#sums = 0
    return given
  }
}

/** Splits the events of half a batch by the owner of their key. */
class RoutingHalf {
  readonly #self: number
  readonly #sums = new Sums()
  #keys: string[] = []
  #values: number[] = []

  constructor(self: number) {
    this.#self = self
  }

  scatter(text: Text): readonly Columns[] {
    const others = new Outbox()
    this.#keys = []
    this.#values = []
    forEachLine(text, (line) => {
      const [key, value] = eventOf(line)
      if (ownerOf(key) !== this.#self) others.push(key, value)
      else {
        this.#keys.push(key)
        this.#values.push(value)
      }
    })
    return [others.columns()]
  }

  /** Adds the events of the first half of the batch before those of the second. */
  gather(arrived: Columns): Given {
    const own = () => {
      this.#keys.forEach((key, i) => {
        this.#sums.add(key, this.#values[i] as number)
      })
    }
    if (this.#self === 0) own()
    forEachPair(arrived, (key, value) => this.#sums.add(key, value))
    if (this.#self !== 0) own()
    return this.#sums.take()
  }
}

export const runningSum: Hand<Given> = {
  loop() {
    const sums = new Sums()
    return {
      batch([text = []]) {
        forEachLine(text, (line) => {
          const [key, value] = eventOf(line)
          sums.add(key, value)
        })
        return runningSum.combine([sums.take()])
      },
      totals: () => checkCounts(sums.state),
    }
  },
  half(self) {
    const half = new RoutingHalf(self)
    return {
      scatter: ([text = []]) => half.scatter(text),
      gather: ([arrived]) => half.gather(arrived as Columns),
    }
  },
  combine(parts) {
    const events = parts.reduce((sum, given) => sum + given.events, 0)
    return checkRow(`${events}\t${parts.reduce((sum, given) => sum + given.sums, 0)}`)
  },
}
