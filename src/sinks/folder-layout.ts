import type { SinkBatch } from './sink.ts'

/** Where a batch goes in a folder, and how it stands there. */
export interface FolderLayout {
  /** Holds the directories of the batches. */
  readonly folder: string
  /** Begins the names of the directories of attempts, up to the epoch; no other sink's. */
  readonly attempts: string
  nameOf(batch: SinkBatch): string
  partName(partition: number): string
  lineOf(record: unknown): string
  /** The batch of a directory's name; undefined for others, and where names have no ids. */
  batchIdOf(name: string): number | undefined
}

/** A part of a batch, as its manifest names it. */
export interface Part {
  readonly file: string
  readonly records: number
  readonly bytes: number
  readonly crc32: number
}

/** The name of the manifest in the directory of a batch. */
export const MANIFEST = '_manifest.json'
