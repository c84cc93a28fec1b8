// What saveAsTextFiles and saveAsJsonFiles write: Spark's `prefix-TIME[.suffix]` for each batch.

import { basename, dirname } from 'node:path'
import type { Save } from '../dstream/graph.ts'
import { FolderWriter } from './folder-writer.ts'
import { jsonLine, textOf } from './record-text.ts'
import type { Sink, SinkBatch } from './sink.ts'

/** The sink of a `saveAs…Files`. */
export function savedFiles({ format, prefix, suffix }: Save): Sink<unknown> {
  const ending = suffix === undefined ? '' : `.${suffix}`
  const pathOf = (time: number | string) => `${prefix}-${time}${ending}`
  const isText = format === 'text'
  return {
    name: `${format}-files:${pathOf('TIME')}`,
    guarantee: 'exactly-once',
    async open(context) {
      const layout = {
        folder: dirname(pathOf(0)),
        attempts: `_attempt-${basename(pathOf('TIME'))}-e`,
        nameOf: ({ time }: SinkBatch) => basename(pathOf(time)),
        partName: (i: number) => `part-${String(i).padStart(5, '0')}${isText ? '' : '.jsonl'}`,
        lineOf: isText ? textOf : jsonLine,
        refuseOthers: true,
      }
      const writer = new FolderWriter(layout, context)
      await writer.prepare()
      return writer
    },
  }
}
