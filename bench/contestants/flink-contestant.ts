// Flink never waits between two batches: the whole process is stopped while others have their turn.
// A leg lasts from one mark, at which the records of a batch have left the sources, to another,
// less the time that the process stood still.

import { type Contestant, type Finish, LeftOut, type Leg } from './contestant.ts'
import { classPathOf } from './java.ts'
import { JavaProcess } from './java-process.ts'
import type { PeerTask } from './spark-contestant.ts'

const OPENS = [
  ...['java.lang', 'java.lang.reflect', 'java.io', 'java.net', 'java.nio', 'java.text'],
  ...['java.time', 'java.util', 'java.util.concurrent', 'java.util.concurrent.atomic'],
  ...['java.util.concurrent.locks', 'sun.nio.ch'],
]

/** Flink DataStream, parallelism 2. */
export class FlinkContestant implements Contestant {
  readonly name = 'Flink, parallelism 2'
  readonly #task: PeerTask
  #java: JavaProcess | undefined
  #passed = 0
  #aim = 0
  /** How long it has run on after the last mark. */
  #aheadMs = 0
  #finish: Finish | undefined

  constructor(task: PeerTask) {
    this.#task = task
  }

  get pid(): number | undefined {
    return this.#java?.pid
  }

  async start(): Promise<void> {
    const { workload, inputs, batches, records, folder } = this.#task
    const files = Math.min(...inputs.map((input) => input.files))
    const sizes = [batches, files, records].map(String)
    this.#java = new JavaProcess({
      classPath: await classPathOf('flink'),
      mainClass: 'bench.FlinkPeer',
      args: [workload, ...sizes, folder, ...inputs.map(({ path }) => path)],
      opens: OPENS,
      javaOptions: [
        '--add-exports=java.base/sun.net.util=ALL-UNNAMED',
        '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
      ],
      folder,
    })
    await this.#java.next()
    this.#java.signal('SIGSTOP')
  }

  async leg(batches: number): Promise<Leg> {
    this.#aim += batches
    const startedAt = performance.now()
    this.#java?.signal('SIGCONT')
    while (this.#passed < this.#aim && this.#finish === undefined) await this.#take()
    const markedAt = performance.now()
    this.#java?.signal('SIGSTOP')
    const ms = markedAt - startedAt + this.#aheadMs
    this.#aheadMs = performance.now() - markedAt
    return { ms, checks: [] }
  }

  async finish(): Promise<Finish> {
    this.#java?.signal('SIGCONT')
    while (this.#finish === undefined) await this.#take()
    return this.#finish
  }

  async stop(): Promise<void> {
    await this.#java?.stop()
  }

  async #take(): Promise<void> {
    const line = await this.#java?.next()
    if (line === undefined) throw new LeftOut('it was not started')
    if (line.kind === 'mark') this.#passed = Math.max(this.#passed, line.batches ?? 0)
    if (line.kind !== 'finish') return
    const { checks, totals } = line
    this.#finish = {
      ...(checks === undefined ? {} : { checks }),
      ...(totals === undefined ? {} : { totals }),
    }
  }
}
