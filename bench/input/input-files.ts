// The input as newline-delimited files, one a batch, in a folder for temporary files: written once,
// used by every contestant and every later run.
//
// A set is written into a folder of its own and renamed, so that a set that is there is whole. All
// sets together stay below a bound: the ones that were made first make room.

import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { adsBatches, campaignsTable } from './ads.ts'
import { eventsBatches } from './events.ts'
import { type BatchBytes, linesBatches } from './lines.ts'

/** What the files of a set hold. */
export interface InputSet {
  readonly kind: 'lines' | 'ads' | 'events'
  /** Records of a file. */
  readonly records: number
  readonly files: number
  readonly seed: number
}

/** A set that is written. */
export interface InputFolder extends InputSet {
  readonly path: string
}

const RECORD_BYTES = { lines: 100, ads: 300, events: 32 }
const ALL_SETS_BYTES_MAX = 4 * 2 ** 30

/** Where everything lies that the bench writes and may use again. */
export function benchFolder(): string {
  const folder = join(tmpdir(), 'millrace-bench')
  mkdirSync(folder, { recursive: true })
  return folder
}

/** The path of a file of a set, or of any folder with such files. */
export function batchFile(folder: string, index: number): string {
  return join(folder, `batch-${String(index).padStart(5, '0')}.txt`)
}

/** Writes a set, unless it is there. Throws RangeError for one that is larger than all may be. */
export function inputFiles(set: InputSet): InputFolder {
  const sets = join(benchFolder(), 'input')
  mkdirSync(sets, { recursive: true })
  const path = join(sets, `${set.kind}-${set.records}x${set.files}-seed${set.seed}`)
  if (!existsSync(path)) write(set, sets, path)
  return { ...set, path }
}

function write(set: InputSet, sets: string, path: string): void {
  const bytes = set.records * set.files * RECORD_BYTES[set.kind]
  if (bytes > ALL_SETS_BYTES_MAX) {
    throw new RangeError(
      `Cannot write ${set.files} files of ${set.records} ${set.kind}: the bench keeps at most ` +
        `${ALL_SETS_BYTES_MAX} bytes of input; give fewer --records`,
    )
  }
  makeRoom(sets, bytes)
  const folder = mkdtempSync(join(sets, 'unfinished-'))
  const batchBytes = batchesOf(set)
  for (let i = 0; i < set.files; i++) writeFileSync(batchFile(folder, i), batchBytes(i))
  if (set.kind === 'ads') writeFileSync(campaignsFile(folder), campaignsTable())
  try {
    renameSync(folder, path)
  } catch (error) {
    // Another run has written the same set meanwhile.
    rmSync(folder, { recursive: true })
    if (!existsSync(path)) throw error
  }
}

/** The path of the table beside files of ads. */
export function campaignsFile(folder: string): string {
  return join(folder, 'campaigns.tsv')
}

function batchesOf({ kind, records, seed }: InputSet): BatchBytes {
  switch (kind) {
    case 'lines':
      return linesBatches(records, seed)
    case 'ads':
      return adsBatches(records, seed)
    case 'events':
      return eventsBatches(records, seed)
  }
}

function makeRoom(sets: string, bytes: number): void {
  const known = readdirSync(sets)
    .map((name) => sizeOf(join(sets, name)))
    .sort((a, b) => a.madeAt - b.madeAt)
  let left = ALL_SETS_BYTES_MAX - bytes - known.reduce((sum, set) => sum + set.bytes, 0)
  for (const set of known) {
    if (left >= 0) break
    rmSync(set.path, { recursive: true, force: true })
    left += set.bytes
  }
}

function sizeOf(path: string): { path: string; bytes: number; madeAt: number } {
  const names = readdirSync(path)
  const bytes = names.reduce((sum, name) => sum + statSync(join(path, name)).size, 0)
  return { path, bytes, madeAt: statSync(path).mtimeMs }
}
