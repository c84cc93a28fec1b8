import type { BatchFiles } from '../pipelines/batch-files.ts'
import { type Contestant, type Finish, LeftOut, type Leg } from './contestant.ts'
import { classPathOf } from './java.ts'
import { JavaProcess, type PeerLine } from './java-process.ts'

/** What a peer runs. */
export interface PeerTask {
  readonly workload: string
  readonly inputs: readonly BatchFiles[]
  /** Records of a file. */
  readonly records: number
  /** How many batches it will be asked for in all. */
  readonly batches: number
  /** A folder for its temporary files. */
  readonly folder: string
}

const OPENS = [
  ...['java.lang', 'java.lang.invoke', 'java.lang.reflect', 'java.io', 'java.net', 'java.nio'],
  ...['java.util', 'java.util.concurrent', 'java.util.concurrent.atomic', 'jdk.internal.ref'],
  ...['sun.nio.ch', 'sun.nio.cs', 'sun.security.action', 'sun.util.calendar'],
]

/** Spark Streaming (DStream), local[2]. */
export class SparkContestant implements Contestant {
  readonly name = 'Spark DStream, local[2]'
  readonly #task: PeerTask
  #java: JavaProcess | undefined

  constructor(task: PeerTask) {
    this.#task = task
  }

  get pid(): number | undefined {
    return this.#java?.pid
  }

  async start(): Promise<void> {
    const { workload, inputs, batches, folder } = this.#task
    const files = Math.min(...inputs.map((input) => input.files))
    const paths = inputs.map(({ path }) => path)
    this.#java = new JavaProcess({
      classPath: await classPathOf('spark'),
      mainClass: 'bench.SparkPeer',
      args: [workload, String(batches), String(files), folder, ...paths],
      opens: OPENS,
      javaOptions: ['-Djdk.reflect.useDirectMethodHandle=false'],
      folder,
    })
    await this.#answer('ready')
  }

  async leg(batches: number): Promise<Leg> {
    this.#java?.say(`leg ${batches}`)
    const { ms = Number.NaN, checks = [] } = await this.#answer('leg')
    return { ms, checks }
  }

  async finish(): Promise<Finish> {
    this.#java?.say('finish')
    const { totals } = await this.#answer('finish')
    return totals === undefined ? {} : { totals }
  }

  async stop(): Promise<void> {
    await this.#java?.stop()
  }

  async #answer(kind: PeerLine['kind']): Promise<PeerLine> {
    const line = await this.#java?.next()
    if (line?.kind === kind) return line
    throw new LeftOut(`it said ${JSON.stringify(line)} where "${kind}" was due`)
  }
}
