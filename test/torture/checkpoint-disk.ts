// A pipeline over written input that a test stops at a step: its files, and a checkpoint beside
// them or in a bucket.

import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Source } from 'millrace'
import { ManualClock } from 'millrace/testing'
import { LocalStore } from '../../src/checkpoint/local-store.ts'
import { S3Store } from '../../src/checkpoint/s3-store.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Clock } from '../../src/clock.ts'
import { ScriptedS3 } from '../checkpoint/scripted-s3.ts'
import { arrivalSource } from './arrival-source.ts'
import { checkArrived } from './arrived-check.ts'
import type { Bucket } from './faulty-bucket.ts'
import { type Life, type LifeOptions, live } from './lives.ts'
import { type Batches, fileOutputs, type Outputs } from './outputs.ts'
import { type Fate, type Step, SteppedWorld } from './stepped-world.ts'
import { WatchedDisk } from './watched-disk.ts'
import type { WrittenInput } from './written-input.ts'
import { type Side, WRITTEN, type WrittenName } from './written-pipelines.ts'

/** Memory serves: that processes die is tested here, and not that the power goes. */
const MEMORY = '/dev/shm'

/** Makes a folder of its own, in memory where there is such a disk. */
export function scratchFolder(): string {
  return mkdtempSync(join(hasMemory() ? MEMORY : tmpdir(), 'millrace-torture-'))
}

function hasMemory(): boolean {
  try {
    return statfsSync(MEMORY).bavail * statfsSync(MEMORY).bsize > 2 ** 28
  } catch {
    return false
  }
}

/** What a batch takes at most, but in the last life. */
const ARRIVING_MAX = 7

/** Lives after these take all that is left. */
const LIVES_MAX = 2

/** Where the checkpoint lies. */
export type CheckpointKind = 'local' | 's3'

/** The bucket of a life, as the store sees it. */
export interface BucketOfLife {
  /** The store's time. */
  readonly clock: Clock
  readonly of: (service: Bucket) => Bucket
}

/** A bucket that answers, and a clock that stands still: a call that never returns, since the
 * world has stopped, is not made again. */
function plainBucket(): BucketOfLife {
  return { clock: new ManualClock(), of: (service) => service }
}

/** What a checkpoint and its outputs are made of. */
export interface CheckpointParts {
  /** @default on the disk */
  readonly kind?: CheckpointKind
  /** @default one of its own, which is removed at the end */
  readonly folder?: string
  /** @default files beside the checkpoint */
  readonly outputs?: Outputs
}

/** A checkpoint and the outputs of a pipeline. */
export class CheckpointDisk {
  readonly folder: string
  readonly #name: WrittenName
  readonly #input: WrittenInput
  readonly #own: boolean
  readonly #service: ScriptedS3 | undefined
  readonly #outputs: Outputs
  #lives = 0

  constructor(
    name: WrittenName,
    input: WrittenInput,
    { kind = 'local', folder, outputs }: CheckpointParts = {},
  ) {
    this.#service = kind === 's3' ? new ScriptedS3() : undefined
    this.#name = name
    this.#input = input
    this.#own = folder === undefined
    this.folder = folder ?? scratchFolder()
    this.#outputs = outputs ?? fileOutputs(join(this.folder, 'out'))
  }

  /** Lives once; `fateOf` says what becomes of each step, `bucket` what of calls to the bucket.
   * Gives the calls too. */
  async live(
    options: Pick<LifeOptions, 'to' | 'from' | 'snapshotEvery' | 'clockOf'> & {
      readonly bucket?: BucketOfLife
    },
    fateOf: (step: Step) => Fate = () => ({ kind: 'goes on' }),
  ): Promise<Life & { readonly calls: readonly string[] }> {
    this.#lives += 1
    const world = new SteppedWorld(fateOf)
    const disk = new WatchedDisk(this.folder, world)
    const store = relocated(this.#storeIn(world, options.bucket), `${this.folder}#${this.#lives}`)
    this.#outputs.watch(world)
    const { sinkOf } = this.#outputs
    const about = { name: this.#name, input: this.#input, store, sinkOf, sourceOf: this.#sourceOf }
    try {
      const life = await live({ ...about, ...options, died: world.stopped })
      return { ...life, calls: world.calls }
    } finally {
      await disk.close()
      await this.#outputs.release()
    }
  }

  #storeIn(world: SteppedWorld, { clock, of } = plainBucket()): CheckpointStore {
    if (this.#service === undefined) return new LocalStore(join(this.folder, 'state'))
    const service = of(this.#service)
    const client = {
      send(command: Parameters<ScriptedS3['send']>[0]): Promise<unknown> {
        const call = command.constructor.name.replace('Command', '')
        const act = () => service.send(command)
        return /^(Put|Delete)/.test(call) ? world.change(call, act) : world.pass(act)
      },
    }
    return new S3Store({ bucket: 'checkpoints', client }, { clock })
  }

  /** Each life has its own amounts, until the last one takes all that is left. */
  readonly #sourceOf = (side: Side): Source<unknown> => {
    const most = this.#lives > LIVES_MAX ? Number.MAX_SAFE_INTEGER : ARRIVING_MAX
    return arrivalSource(side, this.#input[side].flat(), { seed: this.#lives, most })
  }

  /** Rejects unless the outputs hold every record once and in order, and in each batch what
   * follows from the records of the batches up to it. */
  async check(): Promise<void> {
    const { sides, outputs } = WRITTEN[this.#name]
    const there = new Map<string, Batches>()
    for (const output of [...sides, ...outputs]) {
      there.set(output, await this.#outputs.batches(output))
    }
    const { left, right } = this.#input
    const written = { left: left.flat(), right: right.flat() }
    checkArrived(this.#name, written, (output) => there.get(output) ?? new Map())
  }

  async remove(): Promise<void> {
    await this.#outputs.remove()
    if (this.#own) rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The same store under another name: a life that never ended holds the one before. */
function relocated(store: CheckpointStore, location: string): CheckpointStore {
  return new Proxy(store, {
    get(target, property) {
      if (property === 'location') return location
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
