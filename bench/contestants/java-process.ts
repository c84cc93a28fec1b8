// A peer in a JVM of its own, which says JSON lines on stdout.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { LeftOut } from './contestant.ts'
import { heapGb } from './java.ts'

/** What a peer says. */
export interface PeerLine {
  readonly kind: 'ready' | 'leg' | 'mark' | 'finish'
  readonly ms?: number
  readonly batches?: number
  readonly checks?: readonly string[]
  readonly totals?: string
}

/** How a JVM is started. */
export interface JavaTask {
  readonly classPath: string
  readonly mainClass: string
  readonly args: readonly string[]
  /** Packages of java.base, opened as the peer's documentation asks. */
  readonly opens: readonly string[]
  readonly javaOptions?: readonly string[]
  /** A folder for temporary files of this process. */
  readonly folder: string
}

const NOTHING_SAID = 'it ended without a word'

/** A running JVM. */
export class JavaProcess {
  readonly #child: ChildProcess
  readonly #said: PeerLine[] = []
  readonly #log: string
  #waiting: (() => void) | undefined
  #ended = false

  constructor({ classPath, mainClass, args, opens, javaOptions = [], folder }: JavaTask) {
    this.#log = join(folder, 'stderr.txt')
    const log = openSync(this.#log, 'w')
    const options = [
      `-Xms${heapGb()}g`,
      `-Xmx${heapGb()}g`,
      `-Djava.io.tmpdir=${folder}`,
      ...opens.map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
      ...javaOptions,
    ]
    this.#child = spawn('java', [...options, '-cp', classPath, mainClass, ...args], {
      stdio: ['pipe', 'pipe', log],
    })
    closeSync(log)
    const { stdout, stdin } = this.#child
    if (stdout === null) throw new Error('A pipe is open')
    stdin?.on('error', () => undefined)
    createInterface({ input: stdout }).on('line', (line) => this.#take(line))
    // One that is stopped would not even end with its parent.
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('close', () => {
      process.off('exit', kill)
      this.#ended = true
      this.#waiting?.()
    })
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal)
  }

  /** The next line; rejects with LeftOut where the process has ended. */
  async next(): Promise<PeerLine> {
    for (;;) {
      const line = this.#said.shift()
      if (line !== undefined) return line
      if (this.#ended) throw new LeftOut(this.#lastWords())
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  async stop(): Promise<void> {
    if (this.#ended) return
    const gone = new Promise((resolve) => this.#child.once('close', resolve))
    this.#child.kill('SIGKILL')
    await gone
  }

  #take(line: string): void {
    if (!line.startsWith('{')) return
    this.#said.push(JSON.parse(line) as PeerLine)
    this.#waiting?.()
  }

  #lastWords(): string {
    const lines = readFileSync(this.#log, 'utf8').split('\n')
    const told = lines.filter((line) => /^(Exception|Caused by|.*Error)/.test(line))
    return told.at(-1)?.slice(0, 200) ?? NOTHING_SAID
  }
}
