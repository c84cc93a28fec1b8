import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromChild, ToChild } from './child.ts'
import { type Contestant, type Finish, LeftOut, type Leg } from './contestant.ts'

const STOP_MS_MAX = 5_000

/** How a Node process takes part. */
export interface NodeTask {
  readonly name: string
  /** The module that serves, see child.ts. */
  readonly module: URL
  /** What the module is given; JSON. */
  readonly task: unknown
  readonly nodeOptions?: readonly string[]
}

/** A contestant in a Node process of its own. */
export class NodeContestant implements Contestant {
  readonly name: string
  readonly #task: NodeTask
  #child: ChildProcess | undefined

  constructor(task: NodeTask) {
    this.name = task.name
    this.#task = task
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async start(): Promise<void> {
    const { module, task, nodeOptions = [] } = this.#task
    this.#child = fork(fileURLToPath(module), [JSON.stringify(task)], {
      execArgv: ['--conditions=millrace-src', ...nodeOptions],
      serialization: 'advanced',
    })
    await this.#answer('ready')
  }

  async leg(batches: number): Promise<Leg> {
    return (await this.#ask({ kind: 'leg', batches }, 'leg')).leg
  }

  async finish(): Promise<Finish> {
    return (await this.#ask({ kind: 'finish' }, 'finish')).finish
  }

  async stop(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    // It clears up what it wrote, and ends.
    if (child.connected) child.disconnect()
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
    await gone
    clearTimeout(kill)
  }

  #ask<K extends FromChild['kind']>(
    message: ToChild,
    kind: K,
  ): Promise<Extract<FromChild, { kind: K }>> {
    this.#child?.send(message)
    return this.#answer(kind)
  }

  /** The next message; rejects with LeftOut where the child fails or dies. */
  #answer<K extends FromChild['kind']>(kind: K): Promise<Extract<FromChild, { kind: K }>> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const exited = (code: number | null, signal: string | null): void => {
        reject(new LeftOut(`its process ended with ${signal ?? `code ${code}`}`))
      }
      child?.once('exit', exited)
      child?.once('message', (message: FromChild) => {
        child.off('exit', exited)
        if (message.kind === kind) resolve(message as Extract<FromChild, { kind: K }>)
        else reject(new LeftOut(message.kind === 'failed' ? message.message : message.kind))
      })
    })
  }
}
