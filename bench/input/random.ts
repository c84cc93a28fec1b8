// Seeded randomness for the input files: the same seed gives the same bytes on every machine.

/** Gives the next of a sequence of whole numbers from 0 to 2³² - 1. */
export type Random = () => number

const TWO_TO_32 = 4_294_967_296
const WARM_UP = 20

/** Makes a generator (sfc32) of several small whole numbers. */
export function randomOf(...seeds: readonly number[]): Random {
  let hash = 0x9e3779b9
  const mix = (value: number): number => {
    hash = Math.imul(hash ^ value, 0x85ebca6b)
    hash ^= hash >>> 13
    hash = Math.imul(hash, 0xc2b2ae35)
    hash ^= hash >>> 16
    return hash | 0
  }
  for (const seed of seeds) mix(seed)
  let a = mix(1)
  let b = mix(2)
  let c = mix(3)
  let counter = mix(4)
  const next = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < WARM_UP; i++) next()
  return next
}

/** A whole number from 0 to below `count`. */
export function below(random: Random, count: number): number {
  return Math.floor((random() / TWO_TO_32) * count)
}

/** An identifier of the form of a UUID of version 4. */
export function uuid(random: Random): string {
  let hex = ''
  for (let i = 0; i < 4; i++) hex += random().toString(16).padStart(8, '0')
  const variant = '89ab'[below(random, 4)]
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`]
  return [...parts, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
}

/** Draws ranks from 0 to below `count` so that rank r comes 1 / (r + 1) as often as rank 0: Zipf's
 * law with exponent 1, by Walker's alias method. */
export function zipfRanks(count: number): (random: Random) => number {
  let sum = 0
  for (let rank = 1; rank <= count; rank++) sum += 1 / rank
  const share = Float64Array.from({ length: count }, (_, rank) => count / (rank + 1) / sum)
  return aliasDraw(share)
}

function aliasDraw(share: Float64Array): (random: Random) => number {
  const count = share.length
  const keep = new Float64Array(count).fill(1)
  const alias = Int32Array.from({ length: count }, (_, rank) => rank)
  const small: number[] = []
  const large: number[] = []
  const sort = (rank: number) => ((share[rank] as number) < 1 ? small : large).push(rank)
  for (let rank = 0; rank < count; rank++) sort(rank)
  while (small.length > 0 && large.length > 0) {
    const low = small.pop() as number
    const high = large.pop() as number
    keep[low] = share[low] as number
    alias[low] = high
    share[high] = (share[high] as number) + (share[low] as number) - 1
    sort(high)
  }
  return (random) => {
    const rank = below(random, count)
    return random() / TWO_TO_32 < (keep[rank] as number) ? rank : (alias[rank] as number)
  }
}
