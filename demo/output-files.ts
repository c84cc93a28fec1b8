// Reads what the `files` sink wrote: one folder a batch, with parts of JSON lines and a manifest.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

const BATCH_FOLDER = /^batch-(\d{12})$/
const MANIFEST = '_manifest.json'

/** A word and its count, as a line of a part. */
export type Count = readonly [word: string, count: number]

/** One batch of an output. */
export interface OutputBatch {
  readonly batchId: number
  /** Batch time, epoch milliseconds. */
  readonly time: number
  readonly parts: number
  readonly counts: readonly Count[]
  /** What is wrong with its files. */
  readonly problems: readonly string[]
}

/** What the manifest of a batch says about it. */
export interface Manifest {
  readonly pipeline: string
  readonly batchId: number
  readonly time: number
  readonly epoch: number
  readonly parts: readonly ManifestPart[]
  readonly records: number
}

export interface ManifestPart {
  readonly file: string
  readonly records: number
  readonly bytes: number
  readonly crc32: number
}

/** The ids of the batches in an output folder, in order. A folder that is not there has none. */
export async function batchIds(folder: string): Promise<number[]> {
  const ids = (await namesIn(folder)).flatMap((name) => {
    const id = BATCH_FOLDER.exec(name)?.[1]
    return id === undefined ? [] : [Number(id)]
  })
  return ids.sort((a, b) => a - b)
}

/** Reads one batch and holds its parts against its manifest. */
export async function readBatch(folder: string, batchId: number): Promise<OutputBatch> {
  const path = batchPath(folder, batchId)
  const manifest = JSON.parse(await readFile(join(path, MANIFEST), 'utf8')) as Manifest
  const problems: string[] = []
  const counts: Count[] = []
  for (const part of manifest.parts) {
    const bytes = await readFile(join(path, part.file)).catch(() => undefined)
    const read = bytes === undefined ? ['is missing'] : checkPart(bytes, part, counts)
    problems.push(...read.map((problem) => `${join(path, part.file)}: ${problem}`))
  }
  if (manifest.batchId !== batchId) problems.push(`${path}: its manifest is of ${manifest.batchId}`)
  if (counts.length !== manifest.records && problems.length === 0) {
    problems.push(`${path}: ${counts.length} records, its manifest says ${manifest.records}`)
  }
  problems.push(...(await strangers(path, manifest)))
  return { batchId, time: manifest.time, parts: manifest.parts.length, counts, problems }
}

export function batchPath(folder: string, batchId: number): string {
  return join(folder, `batch-${String(batchId).padStart(12, '0')}`)
}

/** Adds the lines of a part to `counts` and gives what is wrong with it. */
function checkPart(bytes: Buffer, part: ManifestPart, counts: Count[]): string[] {
  if (crc32(bytes) !== part.crc32) {
    return [`the crc-32 of its bytes is ${crc32(bytes)}, the manifest says ${part.crc32}`]
  }
  const lines = bytes.toString().split('\n').slice(0, -1)
  counts.push(...lines.map((line) => JSON.parse(line) as Count))
  return lines.length === part.records
    ? []
    : [`${lines.length} records, the manifest says ${part.records}`]
}

async function strangers(path: string, { parts }: Manifest): Promise<string[]> {
  const known = new Set([MANIFEST, ...parts.map(({ file }) => file)])
  const names = (await namesIn(path)).filter((name) => !known.has(name))
  return names.map((name) => `${join(path, name)}: is not in the manifest`)
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
