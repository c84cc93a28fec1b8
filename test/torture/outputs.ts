// Where the outputs of a pipeline lie that a test stops at a step.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Sink } from 'millrace'
import { files } from 'millrace/sinks'
import { batchesIn } from './files-batches.ts'
import type { SteppedWorld } from './stepped-world.ts'

/** The records of each batch of an output. */
export type Batches = Map<number, unknown[]>

/** The places of all outputs. */
export interface Outputs {
  readonly sinkOf: (output: string) => Sink<unknown>
  /** Lets the calls of the life that begins be steps of its world. */
  watch(world: SteppedWorld): void
  /** Ends what a life holds, as its death does. */
  release(): Promise<void>
  /** What is there. Rejects if something else is there too. */
  batches(output: string): Promise<Batches>
  remove(): Promise<void>
}

/** Folders of `files`. Whoever watches the disk watches them. */
export function fileOutputs(folder: string): Outputs {
  const folderOf = (output: string) => join(folder, output)
  mkdirSync(folder, { recursive: true })
  return {
    sinkOf: (output) => files(folderOf(output)),
    watch: () => undefined,
    release: () => Promise.resolve(),
    batches: (output) => Promise.resolve(batchesIn(folderOf(output))),
    remove: () => Promise.resolve(),
  }
}
