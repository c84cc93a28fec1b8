// The sinks of a graph's outputs, in whichever thread needs them.

import type { Output, Save } from '../dstream/graph.ts'
import { ConfigError } from '../errors.ts'
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

/** Throws where two outputs write to a place that is for one. */
export function refuseSharedPlaces(outputs: readonly Output[], own: OwnSinks): void {
  const taken = new Map<string, number>()
  for (const [outputId, output] of outputs.entries()) {
    const sink = sinkOf(output, own)
    if (sink?.place === undefined) continue
    const other = taken.get(sink.place)
    if (other !== undefined) {
      throw new ConfigError(
        `Cannot start: outputs ${other} and ${outputId} both write to "${sink.name}", and a ` +
          `batch of one would stand in the way of the other's; give each a place of its own, or ` +
          `unite their streams`,
      )
    }
    taken.set(sink.place, outputId)
  }
}
