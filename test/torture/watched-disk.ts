// The disk of a stepped world: it stands between node:fs/promises and the disk, in this process,
// for the folders that are watched; nothing in the engine knows of it.

import { createRequire, syncBuiltinESMExports } from 'node:module'
import { resolve, sep } from 'node:path'
import type { PartialWrite, SteppedWorld } from './stepped-world.ts'

type Call = (...args: never[]) => Promise<unknown>
type Methods = Record<string, Call>

/** The calls that change something, by what they are called with. */
const CHANGING = ['mkdir', 'link', 'rename', 'rm', 'rmdir', 'unlink', 'truncate', 'writeFile']
const READING = ['readFile', 'readdir', 'access', 'stat', 'lstat']
const OF_HANDLES = ['writeFile', 'appendFile', 'write', 'writev', 'sync', 'datasync', 'truncate']

const watches = new Map<string, WatchedDisk>()
const module = createRequire(import.meta.url)('node:fs/promises') as Methods
const real: Methods = { ...module }

/** A folder whose calls are steps. */
export class WatchedDisk {
  readonly folder: string
  readonly world: SteppedWorld
  readonly #handles = new Set<Methods>()

  constructor(folder: string, world: SteppedWorld) {
    this.folder = resolve(folder)
    this.world = world
    if (watches.size === 0) intercept()
    watches.set(this.folder, this)
  }

  /** Lets the calls of later lives through, and closes what this one left open. */
  async close(): Promise<void> {
    watches.delete(this.folder)
    if (watches.size === 0) release()
    for (const handle of this.#handles) await handle['close']?.().catch(() => undefined)
  }

  /** Wraps a handle so that its calls are steps. */
  watch(handle: Methods): Methods {
    this.#handles.add(handle)
    for (const name of OF_HANDLES) {
      const call = handle[name]?.bind(handle)
      if (call === undefined) continue
      handle[name] = (...args: never[]) => {
        const part: PartialWrite = (share) => writePart(call, args, share)
        return this.world.change(name, () => call(...args), part)
      }
    }
    const close = handle['close']?.bind(handle)
    handle['close'] = async () => {
      this.#handles.delete(handle)
      return close?.()
    }
    return handle
  }
}

async function writePart(call: Call, args: readonly unknown[], share: number): Promise<void> {
  const [content] = args
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) return
  const bytes = Buffer.from(content as Uint8Array)
  const part = bytes.subarray(0, Math.floor(bytes.length * share))
  await (call as (content: Uint8Array) => Promise<unknown>)(part)
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
      return CHANGING.includes(name) ? disk.world.change(name, act) : disk.world.pass(act)
    }) as Call
  }
  const open = real['open'] as (...args: unknown[]) => Promise<Methods>
  module['open'] = (async (...args: unknown[]) => {
    const disk = diskOf(args[0])
    if (disk === undefined) return open(...args)
    const act = async () => disk.watch(await open(...args))
    return makesFile(args[1]) ? disk.world.change('open', act) : disk.world.pass(act)
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
