// Events `key,timestamp,value`: 1 M keys, drawn evenly, values from 0 to 999.

import { BASE_MS } from './ads.ts'
import type { BatchBytes } from './lines.ts'
import { below, randomOf } from './random.ts'

const KEYS = 1_000_000
const VALUES = 1_000

/** Batches of `records` events. */
export function eventsBatches(records: number, seed: number): BatchBytes {
  return (index) => {
    const random = randomOf(3, seed, index)
    let text = ''
    for (let i = 0; i < records; i++) {
      const time = BASE_MS + index * 1_000 + Math.floor((i * 1_000) / records)
      text += `k${below(random, KEYS)},${time},${below(random, VALUES)}\n`
    }
    return Buffer.from(text, 'latin1')
  }
}
