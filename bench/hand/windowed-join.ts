import { checkRow } from '../check.ts'
import { eventOf } from '../closures.ts'
import { forEachLine, forEachPair, type Hand, Outbox, ownerOf, type Text } from './hand-loop.ts'

const PANES = 3

type Pane = [key: string, value: number][]

/** The last three batches of two streams, joined by key at each batch. */
class Join {
  readonly #left: Pane[] = []
  readonly #right: Pane[] = []

  /** Takes a batch of both in, and counts the pairs. */
  slide(left: Pane, right: Pane): number {
    keep(this.#left, left)
    keep(this.#right, right)
    const byKey = new Map<string, number[]>()
    for (const pane of this.#left) {
      for (const [key, value] of pane) {
        const values = byKey.get(key)
        if (values === undefined) byKey.set(key, [value])
        else values.push(value)
      }
    }
    let pairs = 0
    for (const pane of this.#right) {
      for (const [key] of pane) pairs += byKey.get(key)?.length ?? 0
    }
    return pairs
  }
}

function keep(panes: Pane[], pane: Pane): void {
  panes.push(pane)
  if (panes.length > PANES) panes.shift()
}

function paneOf(text: Text): Pane {
  const pane: Pane = []
  forEachLine(text, (line) => pane.push(eventOf(line)))
  return pane
}

export const windowedJoin: Hand<number> = {
  loop() {
    const join = new Join()
    return {
      batch: ([left = [], right = []]) => checkRow(String(join.slide(paneOf(left), paneOf(right)))),
    }
  },
  half(self) {
    const join = new Join()
    let own: Pane[] = []
    return {
      scatter(texts) {
        own = []
        return texts.map((text) => {
          const others = new Outbox()
          const pane: Pane = []
          forEachLine(text, (line) => {
            const event = eventOf(line)
            if (ownerOf(event[0]) === self) pane.push(event)
            else others.push(...event)
          })
          own.push(pane)
          return others.columns()
        })
      },
      gather(arrived) {
        arrived.forEach((columns, stream) => {
          forEachPair(columns, (key, value) => own[stream]?.push([key, value]))
        })
        const [left = [], right = []] = own
        return join.slide(left, right)
      },
    }
  },
  combine: (parts) => checkRow(String(parts.reduce((sum, pairs) => sum + pairs, 0))),
}
