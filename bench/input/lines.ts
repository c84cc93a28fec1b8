// Lines of 100 bytes, newline included: words of a vocabulary of 10,000 by Zipf's law, some 14 a
// line; one line in a hundred also has the word "needle". The last word may be cut.

import { below, type Random, randomOf, zipfRanks } from './random.ts'

const VOCABULARY = 10_000
const LINE_BYTES = 100
const BLANK = 0x20
const NEWLINE = 0x0a
const FILLER = 0x78

/** Makes the bytes of batch `index`. */
export type BatchBytes = (index: number) => Buffer

/** Batches of `records` lines. */
export function linesBatches(records: number, seed: number): BatchBytes {
  const words = vocabulary()
  const rankOf = zipfRanks(VOCABULARY)
  const needle = Buffer.from('needle ', 'latin1')
  return (index) => {
    const random = randomOf(1, seed, index)
    const bytes = Buffer.alloc(records * LINE_BYTES)
    const word = () => words[rankOf(random)] as Buffer
    for (let line = 0; line < records; line++) {
      writeLine(bytes, line * LINE_BYTES, needleAt(random), (place, at) =>
        place === at ? needle : word(),
      )
    }
    return bytes
  }
}

/** At which word the needle stands; -1 for nowhere. Early enough that it is never cut. */
function needleAt(random: Random): number {
  return below(random, 100) === 0 ? below(random, 6) : -1
}

function writeLine(
  bytes: Buffer,
  start: number,
  needleAt: number,
  wordAt: (place: number, needleAt: number) => Buffer,
): void {
  const end = start + LINE_BYTES - 1
  let offset = start
  for (let place = 0; offset < end; place++) {
    const word = wordAt(place, needleAt)
    offset += word.copy(bytes, offset, 0, Math.min(word.length, end - offset))
  }
  if (bytes[end - 1] === BLANK) bytes[end - 1] = FILLER
  bytes[end] = NEWLINE
}

/** The same words for every seed, each with the blank after it. */
function vocabulary(): Buffer[] {
  const random = randomOf(77)
  const words = new Set<string>()
  while (words.size < VOCABULARY) {
    const length = 3 + below(random, 8)
    let word = ''
    for (let i = 0; i < length; i++) word += String.fromCharCode(97 + below(random, 26))
    if (!word.includes('needle')) words.add(word)
  }
  return Array.from(words, (word) => Buffer.from(`${word} `, 'latin1'))
}
