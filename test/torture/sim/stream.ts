// A stream whose records arrive over time. How many a batch takes depends on when it is cut, so
// that only a redo by its ranges gives a batch the records that it had.

import type { Source } from 'millrace'
import { ValuesBlock } from '../../../src/batch/values-block.ts'
import { StreamingError } from '../../../src/errors.ts'
import type { RangeData, Receiver, SourceRange } from '../../../src/receivers/receiver.ts'
import { at, offsetOf, PARTITION, rangeOf } from '../arrival-source.ts'
import type { SimProcess } from './process.ts'

/** The stream, outside of all processes. */
export class SimStream {
  readonly name: string
  /** All that has arrived, in its order. */
  readonly records: string[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Gives a process a source of it. */
  sourceFor(process: SimProcess): Source<string> {
    return {
      name: this.name,
      replayable: true,
      open: () => new StreamReceiver(this, process),
      fromParcel: (content) => ValuesBlock.fromParcel(content) as ValuesBlock<string>,
    }
  }
}

class StreamReceiver implements Receiver {
  readonly #stream: SimStream
  readonly #process: SimProcess
  #taken = 0
  /** What this process has read. */
  #read = 0
  #known = 0
  #stopped = false

  constructor(stream: SimStream, process: SimProcess) {
    this.#stream = stream
    this.#process = process
  }

  async start(from: Parameters<Receiver['start']>[0]): ReturnType<Receiver['start']> {
    const known = from[0]
    this.#taken = known === undefined ? 0 : offsetOf(known.position)
    this.#read = this.#taken
    this.#known = await this.#ask('describe', () => this.#stream.records.length)
    const position = at(this.#taken)
    return [{ partition: PARTITION, position, caughtUpAt: 0, parents: [] }]
  }

  /** Reads again and again; a reader that fails tries again. */
  run(): void {
    if (this.#stopped) return
    const next = () => void this.#process.clock.after(READ_EVERY_MS, () => this.run())
    this.#ask('read', () => this.#stream.records.length).then((length) => {
      if (!this.#stopped) this.#read = length
      next()
    }, next)
  }

  cut(): readonly RangeData[] {
    const from = this.#taken
    this.#taken = this.#read
    return from === this.#taken ? [] : [rangeOf(this.#stream.records, from, this.#taken)]
  }

  replay(ranges: readonly SourceRange[]): Promise<readonly RangeData[]> {
    const about = ranges.map(({ upTo }) => offsetOf(upTo)).join()
    return this.#ask(`replay ${about}`, () =>
      ranges.map(({ after, upTo }) =>
        rangeOf(this.#stream.records, offsetOf(after), offsetOf(upTo)),
      ),
    )
  }

  caughtUp(): boolean {
    return this.#taken >= this.#known
  }

  bufferedBytes(): number {
    return this.#read - this.#taken
  }

  lagMs(): undefined {
    return undefined
  }

  /** A graceful stop takes what has arrived. */
  async stop(): Promise<void> {
    this.#stopped = true
  }

  async #ask<T>(what: string, run: () => T): Promise<T> {
    const { name } = this.#stream
    const { promise: late, reject } = Promise.withResolvers<never>()
    const cancel = this.#process.clock.after(ANSWER_MS, () => {
      const message = `Cannot ${what} "${name}": no answer`
      reject(new StreamingError('SOURCE_UNREACHABLE', message, { retryable: true }))
    })
    try {
      return await Promise.race([this.#process.call('source', what, name, { run }), late])
    } finally {
      cancel()
    }
  }
}

const ANSWER_MS = 5_000
const READ_EVERY_MS = 200
