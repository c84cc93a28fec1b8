// A disk that refuses, or takes its time: full (a small tmpfs where this user may mount one), EIO,
// EMFILE, writes of which only a part arrives, and a flush that takes 5 s; or a bucket that does
// (refusing-bucket.ts). The run stops with a code or waits; the next start redoes one batch at
// most, and nothing is lost or doubled.

import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ManualClock } from 'millrace/testing'
import { codeOf } from '../../src/errors.ts'
import { CheckpointDisk, scratchFolder } from './checkpoint-disk.ts'
import { pickFrom } from './picks.ts'
import { refuseBucket } from './refusing-bucket.ts'
import { resume } from './resume.ts'
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
  what: 'fills the disk or lets calls to it, or to the bucket, fail, or take their time',
  stores: ['local', 's3'],
  counts: { ci: 18, once: 100 },
  open: (store): Promise<Suite> =>
    Promise.resolve({
      run: (seed) => (store === 's3' ? refuseBucket(seed, input) : refuse(seed)),
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
    await checkpoint.remove()
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

const TMPFS_KIB = 512
const PAGE = 4_096

/** Leaves a few free pages on a small disk, and makes room after. */
async function fillUp(name: WrittenName, pick: (below: number) => number): Promise<string> {
  const folder = scratchFolder()
  try {
    if (!mount(folder)) return 'tmpfs: left out, this user may not mount one'
    const checkpoint = new CheckpointDisk(name, input, { folder })
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
