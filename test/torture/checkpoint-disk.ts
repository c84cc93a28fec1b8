// A pipeline over written input whose checkpoint and files lie on a disk that a test watches.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { files, type Sink } from 'millrace/sinks'
import { LocalStore } from '../../src/checkpoint/local-store.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import { checkOutputs, type Life, type LifeOptions, live } from './lives.ts'
import { type Fate, type Step, WatchedDisk } from './watched-disk.ts'
import type { WrittenInput } from './written-input.ts'
import { WRITTEN, type WrittenName } from './written-pipelines.ts'

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

/** A checkpoint and the outputs of a pipeline, in one folder. */
export class CheckpointDisk {
  readonly folder: string
  readonly #name: WrittenName
  readonly #input: WrittenInput
  readonly #own: boolean
  #lives = 0

  /** Without `folder` it makes one, and removes it at the end. */
  constructor(name: WrittenName, input: WrittenInput, folder?: string) {
    this.#name = name
    this.#input = input
    this.#own = folder === undefined
    this.folder = folder ?? scratchFolder()
    mkdirSync(join(this.folder, 'out'), { recursive: true })
  }

  readonly sinkOf = (output: string): Sink<unknown> => files(join(this.folder, 'out', output))

  /** Lives once; `fateOf` says what becomes of each step. Gives the calls too. */
  async live(
    options: Pick<LifeOptions, 'to' | 'from' | 'snapshotEvery' | 'clockOf'>,
    fateOf: (step: Step) => Fate = () => ({ kind: 'goes on' }),
  ): Promise<Life & { readonly calls: readonly string[] }> {
    this.#lives += 1
    const disk = new WatchedDisk(this.folder, fateOf)
    const store = relocated(new LocalStore(join(this.folder, 'state')), this.#lives)
    const about = { name: this.#name, input: this.#input, store, sinkOf: this.sinkOf }
    try {
      const life = await live({ ...about, ...options, died: disk.stopped() })
      return { ...life, calls: disk.calls }
    } finally {
      await disk.close()
    }
  }

  /** Throws unless the files hold the batches up to `to`, each once and whole. */
  check(to: number): void {
    const expected = WRITTEN[this.#name].expected(this.#input)
    const ids = Array.from({ length: to }, (_, i) => i + 1)
    checkOutputs(this.#name, expected, (output) => this.#batches(output), ids)
  }

  #batches(output: string): Map<number, unknown[]> {
    const folder = join(this.folder, 'out', output)
    const names = readdirSync(folder)
    const left = names.filter((name) => !/^batch-\d{12}$/.test(name))
    if (left.length > 0) throw new Error(`Output "${output}" must hold batches only, got ${left}`)
    return new Map(
      names.map((name) => [Number(name.slice('batch-'.length)), recordsOf(join(folder, name))]),
    )
  }

  remove(): void {
    if (this.#own) rmSync(this.folder, { recursive: true, force: true })
  }
}

function recordsOf(batch: string): unknown[] {
  const manifest = JSON.parse(readFileSync(join(batch, '_manifest.json'), 'utf8')) as {
    readonly records: number
    readonly parts: readonly { readonly file: string; readonly records: number }[]
  }
  const named = manifest.parts.map(({ file }) => file)
  const there = readdirSync(batch).filter((name) => name !== '_manifest.json')
  if (named.join() !== there.sort().join()) {
    throw new Error(`"${batch}" must hold ${named.join()}, got ${there.join()}`)
  }
  const records = named.flatMap((file) =>
    readFileSync(join(batch, file), 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown),
  )
  if (records.length === manifest.records) return records
  throw new Error(`"${batch}" must hold ${manifest.records} records, got ${records.length}`)
}

/** The same store under another name: a life that never ended holds the one before. */
function relocated(store: CheckpointStore, life: number): CheckpointStore {
  return new Proxy(store, {
    get(target, property) {
      if (property === 'location') return `${target.location}#${life}`
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
