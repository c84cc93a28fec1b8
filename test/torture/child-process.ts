// An engine process as its parent sees it.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { ProcessArgs, Said } from './process-protocol.ts'

/** One process; its script is a file beside this one. */
export class EngineChild<A = ProcessArgs> {
  /** All that it said. */
  readonly said: Said[] = []
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #errors = ''
  #wake: () => void = () => undefined
  #gone = false

  constructor(script: string, args: A) {
    const path = fileURLToPath(new URL(script, import.meta.url))
    const command = ['--conditions=millrace-src', path, JSON.stringify(args)]
    // Its stdin ends with its parent, and so does it.
    this.#child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'pipe'] })
    this.#closed = once(this.#child, 'close').then(() => {
      this.#gone = true
      this.#wake()
    })
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-4_000)
    })
    // What it said may arrive after its end.
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        this.said.push(JSON.parse(line) as Said)
        this.#wake()
      })
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** What it wrote to stderr, the end of it. */
  get errors(): string {
    return this.#errors
  }

  /** Waits until it has said something; gives it. Rejects if it ends without. */
  async hear(is: (said: Said) => boolean, from = 0): Promise<Said> {
    for (;;) {
      const found = this.said.slice(from).find(is)
      if (found !== undefined) return found
      if (this.#gone) throw new Error(`The process ended: ${this.#tail()}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Asks it to stop. */
  stop(): void {
    this.#child.stdin?.end()
  }

  /** Resolves when it is gone and all that it said has arrived. */
  async gone(): Promise<void> {
    await this.#closed
  }

  /** The newest batch that it completed, 0 if none. */
  get completed(): number {
    const last = this.said.findLast((one) => one.kind === 'batch-completed')
    return last !== undefined && 'batchId' in last ? last.batchId : 0
  }

  #tail(): string {
    return `${JSON.stringify(this.said.slice(-3))} ${this.#errors}`
  }
}
