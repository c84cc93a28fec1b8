// What saveAsTextFiles and saveAsJsonFiles write: Spark's `prefix-TIME[.suffix]` for each batch.

import { basename, dirname } from 'node:path'
import type { Save } from '../dstream/graph.ts'
import { folderSink } from './folder-sink.ts'
import { jsonLine, textOf } from './record-text.ts'
import type { Sink } from './sink.ts'

/** The sink of a `saveAs…Files`. */
export function savedFiles({ format, prefix, suffix }: Save): Sink<unknown> {
  const ending = suffix === undefined ? '' : `.${suffix}`
  const pathOf = (time: number | string) => `${prefix}-${time}${ending}`
  const isText = format === 'text'
  return folderSink(`${format}-files:${pathOf('TIME')}`, {
    folder: dirname(pathOf(0)),
    attempts: `_attempt-${basename(pathOf('TIME'))}-e`,
    nameOf: ({ time }) => basename(pathOf(time)),
    partName: (i) => `part-${String(i).padStart(5, '0')}${isText ? '' : '.jsonl'}`,
    lineOf: isText ? textOf : jsonLine,
    batchIdOf: () => undefined,
  })
}
