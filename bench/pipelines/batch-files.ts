import type { Source } from 'millrace'
import { batchFile } from '../input/input-files.ts'
import { BLOCK_BYTES_MAX, readBlocks } from '../input/read-part.ts'
import { PARTITIONS, partsSource } from './parts-source.ts'

/** Where the files are. */
export interface BatchFiles {
  readonly path: string
  readonly files: number
}

/** Describes a source whose batches are the files of a folder, the first again after the last,
 * in blocks of at most 8 MiB. */
export function batchFiles({ path, files }: BatchFiles): Source<string> {
  return partsSource('batch-files', (batch, part) =>
    readBlocks(batchFile(path, (batch - 1) % files), part, PARTITIONS, BLOCK_BYTES_MAX),
  )
}
