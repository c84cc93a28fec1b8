// What a block keeps of its records beside their data: a column for each property. Objects for each
// record would cost more, to keep and to send to another thread, than all else that is done to it.

import { ownText } from '../../batch/own-text.ts'

/** Texts, one after the other in one text. */
export class Texts {
  readonly text: string
  /** Where each begins, and where the last one ends: one more than there are texts. */
  readonly #starts: Uint32Array

  constructor(text: string, starts: Uint32Array) {
    this.text = text
    this.#starts = starts
  }

  static of(texts: readonly string[]): Texts {
    const starts = new Uint32Array(texts.length + 1)
    let end = 0
    for (let i = 0; i < texts.length; i++) {
      end += (texts[i] as string).length
      starts[i + 1] = end
    }
    return new Texts(texts.join(''), starts)
  }

  /** The text at `index`; empty where there is none. */
  at(index: number): string {
    return this.text.slice(this.#starts[index] ?? this.text.length, this.#starts[index + 1])
  }

  slice(start: number, end: number): Texts {
    const from = this.#starts[start] as number
    const text = this.text.slice(from, this.#starts[end])
    return new Texts(
      text,
      this.#starts.slice(start, end + 1).map((at) => at - from),
    )
  }

  toParcel(): TextsParcel {
    return { text: this.text, starts: this.#starts }
  }
}

/** Texts on their way to another thread. */
export interface TextsParcel {
  readonly text: string
  readonly starts: Uint32Array
}

/** All of a record but its data. */
export interface RecordHead {
  readonly partitionKey: string
  readonly sequenceNumber: string
  /** When the service got it, epoch milliseconds. */
  readonly arrivalMs: number
}

/** Partition keys, sequence numbers and times of arrival of consecutive records. */
export class BlockColumns {
  readonly partitionKeys: Texts
  readonly sequenceNumbers: Texts
  /** Epoch milliseconds. */
  readonly arrivals: Float64Array

  constructor(partitionKeys: Texts, sequenceNumbers: Texts, arrivals: Float64Array) {
    this.partitionKeys = partitionKeys
    this.sequenceNumbers = sequenceNumbers
    this.arrivals = arrivals
  }

  static of(records: readonly RecordHead[]): BlockColumns {
    return new BlockColumns(
      Texts.of(records.map(({ partitionKey }) => partitionKey)),
      Texts.of(records.map(({ sequenceNumber }) => sequenceNumber)),
      new Float64Array(records.map(({ arrivalMs }) => arrivalMs)),
    )
  }

  get length(): number {
    return this.arrivals.length
  }

  /** Characters of all texts. */
  get characters(): number {
    return this.partitionKeys.text.length + this.sequenceNumbers.text.length
  }

  /** The last sequence number, in memory of its own: it stays known longer than the block. */
  get lastSequence(): string {
    return ownText(this.sequenceNumbers.at(this.length - 1))
  }

  slice(start: number, end: number): BlockColumns {
    return new BlockColumns(
      this.partitionKeys.slice(start, end),
      this.sequenceNumbers.slice(start, end),
      this.arrivals.slice(start, end),
    )
  }

  toParcel(): BlockColumnsParcel {
    return {
      partitionKeys: this.partitionKeys.toParcel(),
      sequenceNumbers: this.sequenceNumbers.toParcel(),
      arrivals: this.arrivals,
    }
  }

  static fromParcel(parcel: BlockColumnsParcel): BlockColumns {
    const { partitionKeys, sequenceNumbers, arrivals } = parcel
    return new BlockColumns(
      new Texts(partitionKeys.text, partitionKeys.starts),
      new Texts(sequenceNumbers.text, sequenceNumbers.starts),
      arrivals,
    )
  }
}

/** Columns on their way to another thread. */
export interface BlockColumnsParcel {
  readonly partitionKeys: TextsParcel
  readonly sequenceNumbers: TextsParcel
  readonly arrivals: Float64Array
}
