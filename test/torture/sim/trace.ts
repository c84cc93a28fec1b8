// What happened in a simulation, line by line: the end of it is shown with a failure, and its
// checksum says whether two runs were the same.

import { crc32 } from 'node:zlib'

const TAIL_LINES = 120

/** The lines of one run. */
export class Trace {
  readonly #tail: string[] = []
  #crc = 0
  #lines = 0

  /** Adds a line. */
  add(line: string): void {
    this.#crc = crc32(`${line}\n`, this.#crc)
    this.#lines += 1
    this.#tail.push(line)
    if (this.#tail.length > TAIL_LINES) this.#tail.shift()
  }

  /** The same for two runs that did the same. */
  get checksum(): string {
    return `${this.#lines} lines, ${this.#crc.toString(16).padStart(8, '0')}`
  }

  /** The newest lines. */
  get tail(): string {
    const left = this.#lines - this.#tail.length
    return [...(left > 0 ? [`… ${left} lines before`] : []), ...this.#tail].join('\n')
  }
}
