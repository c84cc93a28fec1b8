// The two threads of a hand-written loop, and what starts and drives them.

import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import { type Check, showCheck } from '../check.ts'
import type { BatchFiles } from '../pipelines/batch-files.ts'
import { handOf, type WorkloadName } from './hands.ts'

/** What a thread is given. */
export interface ThreadTask {
  readonly workload: WorkloadName
  readonly inputs: readonly BatchFiles[]
  readonly self: number
  /** The line to the other thread. */
  readonly peer: MessagePort
}

/** As an engine's thread has it: a young generation of 16 MiB semi-spaces. */
const YOUNG_GENERATION_MB = 48

/** Runs batches on two threads. */
export class TwoThreads {
  readonly #workload: WorkloadName
  readonly #threads: readonly Worker[]

  constructor(workload: WorkloadName, inputs: readonly BatchFiles[]) {
    this.#workload = workload
    const { port1, port2 } = new MessageChannel()
    this.#threads = [port1, port2].map((peer, self) => {
      const task: ThreadTask = { workload, inputs, self, peer }
      return new Worker(new URL('thread.ts', import.meta.url), {
        workerData: task,
        transferList: [peer],
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      })
    })
  }

  /** Runs a batch; gives its check. */
  async batch(index: number): Promise<string> {
    const parts = await Promise.all(
      this.#threads.map((thread) => {
        const part = answerOf(thread)
        thread.postMessage(index)
        return part
      }),
    )
    const check: Check = handOf(this.#workload).combine(parts)
    return showCheck(check)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}

function answerOf(thread: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject)
    thread.once('message', (part) => {
      thread.off('error', reject)
      resolve(part)
    })
  })
}
