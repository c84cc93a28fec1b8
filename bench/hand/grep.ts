import { checkRow } from '../check.ts'
import { hasNeedle } from '../closures.ts'
import { forEachLine, type Hand, type Text } from './hand-loop.ts'

function count(text: Text): number {
  let found = 0
  forEachLine(text, (line) => {
    if (hasNeedle(line)) found += 1
  })
  return found
}

export const grep: Hand<number> = {
  loop() {
    let total = 0
    return {
      batch([text = []]) {
        const found = count(text)
        total += found
        return checkRow(String(found))
      },
      totals: () => checkRow(`0\t${total}`),
    }
  },
  half() {
    let found = 0
    return {
      scatter([text = []]) {
        found = count(text)
        return undefined
      },
      gather: () => found,
    }
  },
  combine: (parts) => checkRow(String(parts.reduce((sum, found) => sum + found, 0))),
}
