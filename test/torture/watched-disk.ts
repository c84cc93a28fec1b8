// The disk as a test sees it: every call that changes a file below a folder is a step, which has a
// number. At a step of its choice a test stops the world, as the end of the process does, or lets
// the call fail.
//
// It stands between node:fs/promises and the disk, in this process, for the folders that are
// watched; nothing in the engine knows of it. After the world has stopped no call returns, so that
// nothing that the engine would do about a failure can count.

import { createRequire, syncBuiltinESMExports } from 'node:module'
import { resolve, sep } from 'node:path'

type Call = (...args: never[]) => Promise<unknown>
type Methods = Record<string, Call>

/** One call that changes something. */
export interface Step {
  /** Counts from 1. */
  readonly n: number
  /** For example `link` or `datasync`. */
  readonly call: string
}

/** What happens at a step. */
export type Fate =
  | { readonly kind: 'goes on' }
  /** The process dies: before the call, or after it took effect. */
  | { readonly kind: 'stops'; readonly when: 'before' | 'after' }
  /** The call fails; what it writes is on the disk in part if `written` is less than 1. */
  | { readonly kind: 'fails'; readonly code: string; readonly written?: number }
  /** The call takes its time. */
  | { readonly kind: 'waits'; readonly until: Promise<void> }

/** The calls that change something, by what they are called with. */
const CHANGING = ['mkdir', 'link', 'rename', 'rm', 'rmdir', 'unlink', 'truncate', 'writeFile']
const READING = ['readFile', 'readdir', 'access', 'stat', 'lstat']
const OF_HANDLES = ['writeFile', 'appendFile', 'write', 'writev', 'sync', 'datasync', 'truncate']

const watches = new Map<string, WatchedDisk>()
const module = createRequire(import.meta.url)('node:fs/promises') as Methods
const real: Methods = { ...module }

/** A folder whose calls are counted. */
export class WatchedDisk {
  readonly folder: string
  readonly calls: string[] = []
  readonly #fateOf: (step: Step) => Fate
  readonly #stopping = Promise.withResolvers<void>()
  readonly #inFlight = new Set<Promise<unknown>>()
  readonly #handles = new Set<Methods>()
  #stopped = false

  constructor(folder: string, fateOf: (step: Step) => Fate) {
    this.folder = resolve(folder)
    this.#fateOf = fateOf
    if (watches.size === 0) intercept()
    watches.set(this.folder, this)
  }

  /** Resolves once the world has stopped and what was under way then has ended. */
  readonly stopped = (): Promise<void> => this.#stopping.promise

  /** Lets the calls of later lives through, and closes what this one left open. */
  async close(): Promise<void> {
    watches.delete(this.folder)
    if (watches.size === 0) release()
    for (const handle of this.#handles) await handle['close']?.().catch(() => undefined)
  }

  /** Runs a call that changes something. */
  async change(call: string, act: () => Promise<unknown>, part?: PartialWrite): Promise<unknown> {
    if (this.#stopped) return forever()
    this.calls.push(call)
    const fate = this.#fateOf({ n: this.calls.length, call })
    switch (fate.kind) {
      case 'goes on':
        return this.pass(act)
      case 'waits':
        await fate.until
        return this.pass(act)
      case 'fails':
        if (fate.written !== undefined) await part?.(fate.written)
        throw Object.assign(new Error(`${fate.code}: injected, ${call}`), { code: fate.code })
      case 'stops':
        if (fate.when === 'after') await act().catch(() => undefined)
        void this.#stop()
        return forever()
    }
  }

  /** Runs a call, unless the world has stopped; its answer comes only if it still goes on. */
  async pass(act: () => Promise<unknown>): Promise<unknown> {
    if (this.#stopped) return forever()
    const acting = act()
    this.#inFlight.add(acting)
    try {
      const result = await acting
      return this.#stopped ? await forever() : result
    } catch (error) {
      if (this.#stopped) return await forever()
      throw error
    } finally {
      this.#inFlight.delete(acting)
    }
  }

  /** Wraps a handle so that its calls are steps. */
  watch(handle: Methods): Methods {
    this.#handles.add(handle)
    for (const name of OF_HANDLES) {
      const call = handle[name]?.bind(handle)
      if (call === undefined) continue
      handle[name] = (...args: never[]) => {
        const part: PartialWrite = (share) => writePart(call, args, share)
        return this.change(name, () => call(...args), part)
      }
    }
    const close = handle['close']?.bind(handle)
    handle['close'] = async () => {
      this.#handles.delete(handle)
      return close?.()
    }
    return handle
  }

  async #stop(): Promise<void> {
    this.#stopped = true
    await Promise.allSettled(this.#inFlight)
    this.#stopping.resolve()
  }
}

/** Writes a share of what a call writes. */
type PartialWrite = (share: number) => Promise<unknown>

async function writePart(call: Call, args: readonly unknown[], share: number): Promise<void> {
  const [content] = args
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) return
  const bytes = Buffer.from(content as Uint8Array)
  const part = bytes.subarray(0, Math.floor(bytes.length * share))
  await (call as (content: Uint8Array) => Promise<unknown>)(part)
}

function forever(): Promise<never> {
  return new Promise(() => undefined)
}

function diskOf(path: unknown): WatchedDisk | undefined {
  if (typeof path !== 'string') return undefined
  const full = resolve(path)
  for (const [folder, disk] of watches) {
    if (full === folder || full.startsWith(folder + sep)) return disk
  }
  return undefined
}

function intercept(): void {
  for (const name of [...CHANGING, ...READING]) {
    const call = real[name] as (...args: unknown[]) => Promise<unknown>
    module[name] = ((...args: unknown[]) => {
      // A link and a rename are of the place that they change.
      const disk = diskOf(args[0]) ?? diskOf(args[1])
      if (disk === undefined) return call(...args)
      const act = () => call(...args)
      return CHANGING.includes(name) ? disk.change(name, act) : disk.pass(act)
    }) as Call
  }
  const open = real['open'] as (...args: unknown[]) => Promise<Methods>
  module['open'] = (async (...args: unknown[]) => {
    const disk = diskOf(args[0])
    if (disk === undefined) return open(...args)
    const act = async () => disk.watch(await open(...args))
    return makesFile(args[1]) ? disk.change('open', act) : disk.pass(act)
  }) as Call
  syncBuiltinESMExports()
}

function makesFile(flags: unknown): boolean {
  return typeof flags === 'number' || (typeof flags === 'string' && /^[wa]/.test(flags))
}

function release(): void {
  Object.assign(module, real)
  syncBuiltinESMExports()
}
