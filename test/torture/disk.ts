// A disk that refuses, or takes its time: full (a small tmpfs where this user may mount one), EIO,
// EMFILE, writes of which only a part arrives, and a flush that takes 5 s. The run stops with a
// code or waits; the next start redoes one batch at most, and nothing is lost or doubled.

import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ManualClock } from 'millrace/testing'
import { codeOf } from '../../src/errors.ts'
import { CheckpointDisk, scratchFolder } from './checkpoint-disk.ts'
import type { Life } from './lives.ts'
import { pickFrom } from './picks.ts'
import type { Fate, Step } from './stepped-world.ts'
import type { Suite, Torture } from './torture.ts'
import { writtenInput } from './written-input.ts'
import { WRITTEN, type WrittenName } from './written-pipelines.ts'

const BATCHES = 5
const FIRST_LIFE = 4
const FLUSH_MS = 5_000
const input = writtenInput(BATCHES, 10)
const NAMES = Object.keys(WRITTEN) as WrittenName[]

const FAULTS = ['full', 'EIO', 'EMFILE', 'torn', 'slow', 'tmpfs'] as const
type Fault = (typeof FAULTS)[number]

/** About as many calls as the first life makes. */
const CALLS = 90

export const disk: Torture = {
  name: 'disk',
  what: 'fills the disk, refuses calls with EIO and EMFILE, tears writes, flushes in 5 s',
  stores: ['local'],
  counts: { ci: 18, once: 100 },
  open: (): Promise<Suite> =>
    Promise.resolve({
      run: (seed) => refuse(seed),
      close: () => Promise.resolve(),
    }),
}

async function refuse(seed: number): Promise<string> {
  const pick = pickFrom(seed)
  const name = NAMES[Math.floor(seed / FAULTS.length) % NAMES.length] as WrittenName
  const fault = FAULTS[seed % FAULTS.length] as Fault
  if (fault === 'tmpfs') return fillUp(name, pick)
  const at = 1 + pick(CALLS)
  const clock: { now?: ManualClock } = {}
  const checkpoint = new CheckpointDisk(name, input)
  try {
    const first = await checkpoint.live(
      {
        to: FIRST_LIFE,
        clockOf: (manual) => {
          clock.now = manual
          return manual
        },
      },
      fateOf(fault, at, clock),
    )
    return `${fault}: ${await resume(checkpoint, first)}`
  } catch (cause) {
    throw new Error(`pipeline "${name}", ${fault} at call ${at}`, { cause })
  } finally {
    checkpoint.remove()
  }
}

function fateOf(fault: Fault, at: number, clock: { now?: ManualClock }): (step: Step) => Fate {
  let done = false
  const once = (fate: Fate): Fate => {
    done = true
    return fate
  }
  return ({ n, call }) => {
    if (n < at || done) return { kind: 'goes on' }
    const writes = call === 'writeFile' || call === 'appendFile'
    switch (fault) {
      case 'full':
        return writes ? { kind: 'fails', code: 'ENOSPC', written: 0.5 } : { kind: 'goes on' }
      case 'torn':
        return writes ? once({ kind: 'fails', code: 'EIO', written: 0.7 }) : { kind: 'goes on' }
      case 'EMFILE':
        return call === 'open' ? { kind: 'fails', code: 'EMFILE' } : { kind: 'goes on' }
      case 'slow':
        if (!call.endsWith('sync')) return { kind: 'goes on' }
        return once({ kind: 'waits', until: passing(clock.now, FLUSH_MS) })
      default:
        return once({ kind: 'fails', code: 'EIO' })
    }
  }
}

/** Resolves when so much time has passed on the clock, which is now. */
function passing(clock: ManualClock | undefined, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (clock === undefined) return resolve()
    clock.after(ms, resolve)
    setImmediate(() => clock.advance(ms))
  })
}

/** Starts again with a disk that works, and checks what came of all. */
async function resume(checkpoint: CheckpointDisk, first: Life): Promise<string> {
  checkStop(first)
  const second = await checkpoint.live({ from: first.last, to: first.last + 2 })
  if (second.error !== undefined) throw second.error
  const third = await checkpoint.live({ from: second.last, to: second.last + 1 })
  if (third.error !== undefined) throw third.error
  const recovered = second.recovered ?? 0
  if (recovered < first.last - 1 || second.redone.length > 1) {
    throw new Error(
      `Batch ${first.last} had completed; the next start may redo one batch, got ` +
        `batch ${recovered} and ${second.redone.length} to redo`,
    )
  }
  checkpoint.check()
  return first.error === undefined ? 'went on' : `stopped with ${codeOf(first.error)}`
}

const CLEAN = new Set(['CHECKPOINT_UNWRITABLE', 'SINK_FAILED', 'CONFIG_INVALID'])

/** A stop says what happened in a code of the library. */
function checkStop({ error }: Life): void {
  if (error === undefined || CLEAN.has(codeOf(error) ?? '')) return
  throw new Error('The run must stop with a code of the library', { cause: error })
}

const TMPFS_KIB = 512
const PAGE = 4_096

/** Leaves a few free pages on a small disk, and makes room after. */
async function fillUp(name: WrittenName, pick: (below: number) => number): Promise<string> {
  const folder = scratchFolder()
  try {
    if (!mount(folder)) return 'tmpfs: left out, this user may not mount one'
    const checkpoint = new CheckpointDisk(name, input, 'local', folder)
    const free = pick(40)
    const filler = join(folder, 'filler')
    fill(filler, free)
    const first = await checkpoint.live({ to: FIRST_LIFE })
    rmSync(filler)
    return `tmpfs: ${await resume(checkpoint, first)}`
  } finally {
    unmount(folder)
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Fills the disk, and gives so many pages free again. */
function fill(path: string, freePages: number): void {
  let pages = (TMPFS_KIB * 1_024) / PAGE
  for (;;) {
    try {
      writeFileSync(path, Buffer.alloc(pages * PAGE))
      break
    } catch (error) {
      if (codeOf(error) !== 'ENOSPC') throw error
      pages -= 1
    }
  }
  writeFileSync(path, Buffer.alloc(Math.max(0, pages - freePages) * PAGE))
}

function mount(folder: string): boolean {
  try {
    const how = ['-t', 'tmpfs', '-o', `size=${TMPFS_KIB}k`, 'millrace-torture', folder]
    execFileSync('mount', how, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function unmount(folder: string): void {
  try {
    execFileSync('umount', [folder], { stdio: 'ignore' })
  } catch {
    // It was not mounted.
  }
}
