// The sinks of a graph's outputs, in whichever thread needs them.

import type { Output, Save } from '../dstream/graph.ts'
import type { Sink } from '../sinks/sink.ts'

/** The sinks of the outputs that name none. They are adapters, so they are handed in. */
export interface OwnSinks {
  print(count: number): Sink<unknown>
  save(save: Save): Sink<unknown>
}

/** The sink of an output; undefined for `foreachBatch`, which has none. */
export function sinkOf(output: Output, own: OwnSinks): Sink<unknown> | undefined {
  switch (output.kind) {
    case 'sink':
      return output.sink
    case 'print':
      return own.print(output.count)
    case 'save':
      return own.save(output.save)
    case 'foreachBatch':
      return undefined
  }
}
