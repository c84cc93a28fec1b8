// Shows the demo: in place on a terminal, as plain lines elsewhere.

import type { WriteStream } from 'node:tty'
import { frameOf, plainLine, type View } from './frame.ts'

const ESCAPE = '\u001b['
const HIDE_CURSOR = `${ESCAPE}?25l`
const SHOW_CURSOR = `${ESCAPE}?25h`
const CLEAR_BELOW = `${ESCAPE}J`
const PLAIN_INTERVAL_MS = 800

/** Draws views and prints lines above them. Leaves the cursor visible, however the process ends. */
export class Screen {
  readonly #out: WriteStream
  readonly #restore = () => this.close()
  #view: View | undefined
  #lines = 0
  #plainAtMs = Number.NEGATIVE_INFINITY
  #plainBatch: number | undefined

  constructor(out: WriteStream) {
    this.#out = out
    process.once('exit', this.#restore)
    if (out.isTTY) out.write(HIDE_CURSOR)
  }

  /** Shows the newest figures. */
  show(view: View): void {
    this.#view = view
    if (this.#out.isTTY) this.#out.write(this.#erased() + this.#drawn())
    else this.#showPlain(view)
  }

  /** Prints a line that stays. */
  log(line: string): void {
    this.#out.write(`${this.#erased()}${line}\n${this.#drawn()}`)
  }

  /** Leaves the picture where it is: later lines are printed below it. */
  settle(): void {
    this.#view = undefined
    this.#lines = 0
  }

  /** Gives the terminal back. */
  close(): void {
    process.off('exit', this.#restore)
    this.settle()
    if (this.#out.isTTY) this.#out.write(SHOW_CURSOR)
  }

  #erased(): string {
    const up = this.#lines === 0 ? '' : `${ESCAPE}${this.#lines}A\r${CLEAR_BELOW}`
    this.#lines = 0
    return up
  }

  #drawn(): string {
    if (this.#view === undefined || !this.#out.isTTY) return ''
    const lines = frameOf(this.#view, this.#out.columns || 80, this.#out.rows || 24)
    this.#lines = lines.length
    return `${lines.join('\n')}\n`
  }

  #showPlain(view: View): void {
    const now = performance.now()
    if (now - this.#plainAtMs < PLAIN_INTERVAL_MS || view.batchId === this.#plainBatch) return
    this.#plainAtMs = now
    this.#plainBatch = view.batchId
    this.#out.write(`${plainLine(view)}\n`)
  }
}
