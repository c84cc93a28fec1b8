import { readFileSync } from 'node:fs'
import { checkCounts } from '../check.ts'
import { adKey, type Count, campaignsOf, isView, parseAd } from '../closures.ts'
import { campaignsFile } from '../input/input-files.ts'
import { forEachLine, type Hand, type Text } from './hand-loop.ts'
import { addTo } from './word-count.ts'

/** Counts the views of a text by window and campaign. */
function counter(folder = ''): (text: Text) => Map<string, number> {
  const campaigns = campaignsOf(readFileSync(campaignsFile(folder), 'utf8'))
  return (text) => {
    const counts = new Map<string, number>()
    forEachLine(text, (line) => {
      const ad = parseAd(line)
      if (isView(ad)) addTo(counts, adKey(ad, campaigns), 1)
    })
    return counts
  }
}

export const yahoo: Hand<Count[]> = {
  loop([folder]) {
    const count = counter(folder)
    const totals = new Map<string, number>()
    let counts = new Map<string, number>()
    return {
      batch([text = []]) {
        counts = count(text)
        return checkCounts(counts)
      },
      addUp() {
        for (const [key, views] of counts) addTo(totals, key, views)
      },
      totals: () => checkCounts(totals),
    }
  },
  half(_self, [folder]) {
    const count = counter(folder)
    let counts = new Map<string, number>()
    return {
      scatter([text = []]) {
        counts = count(text)
        return undefined
      },
      gather: () => [...counts],
    }
  },
  combine(parts) {
    const counts = new Map<string, number>()
    for (const [key, views] of parts.flat(1)) addTo(counts, key, views)
    return checkCounts(counts)
  },
}
