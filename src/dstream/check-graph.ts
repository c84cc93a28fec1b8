import { ConfigError } from '../errors.ts'
import { reachable, type StreamGraph } from './graph.ts'
import { rememberDurations } from './retention.ts'

/** Refuses a graph that cannot be started. */
export function checkGraph(graph: StreamGraph, hasCheckpoint: boolean): void {
  if (graph.outputs.length === 0) {
    throw new ConfigError(
      'Cannot start a pipeline without an output operation: nothing would run; add writeTo, ' +
        'foreachBatch or print to a stream',
    )
  }
  const durations = rememberDurations(graph)
  for (const { id, name, options } of reachable(graph)) {
    const { checkpointMs } = options
    if (checkpointMs === undefined) continue
    if (!hasCheckpoint) {
      throw new ConfigError(
        `Cannot checkpoint stream "${name}" every ${checkpointMs} ms: the pipeline has ` +
          `checkpoint: false; give it a checkpoint, or leave out checkpoint() of the stream`,
      )
    }
    const rememberMs = durations.get(id)
    if (rememberMs === undefined || rememberMs > checkpointMs) continue
    throw new ConfigError(
      `Cannot checkpoint stream "${name}" every ${checkpointMs} ms: it must be remembered for ` +
        `longer, got ${rememberMs} ms; remember longer, or checkpoint more often`,
    )
  }
}
