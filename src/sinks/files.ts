import { shown } from '../allowed-values.ts'
import { ConfigError } from '../errors.ts'
import { folderSink } from './folder-sink.ts'
import { jsonLine } from './record-text.ts'
import type { Sink } from './sink.ts'

/** Writes each batch with records as a directory `batch-<id>` of JSON lines, one file a partition,
 * with a manifest; exactly once. A batch without records makes no directory. Files and names are
 * durable when the batch is committed. The files are written by the threads that have the records.
 *
 * `folder` is relative to the working directory; ConfigError is thrown where none is given. The
 * start rejects if it cannot be written, and if it holds batches of another checkpoint: they would
 * stand in the way of new ones.
 *
 * @example
 * ```ts
 * const sink = files('./out')
 * assert.equal(sink.guarantee, 'exactly-once')
 * ```
 */
export function files(folder: string): Sink<unknown> {
  if (typeof folder !== 'string' || folder === '') {
    throw new ConfigError(`Cannot write files to folder ${shown(folder)}: give its path`)
  }
  return folderSink(`files:${folder}`, {
    folder,
    attempts: '_attempt-e',
    nameOf: ({ batchId }) => `batch-${String(batchId).padStart(12, '0')}`,
    partName: (i) => `part-${String(i).padStart(5, '0')}.jsonl`,
    lineOf: jsonLine,
    batchIdOf: (name) => {
      const id = /^batch-(\d{12,})$/.exec(name)?.[1]
      return id === undefined ? undefined : Number(id)
    },
  })
}
