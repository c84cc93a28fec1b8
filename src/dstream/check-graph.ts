import { ConfigError } from '../errors.ts'
import type { Logger } from '../events.ts'
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

/** Says which streams ask for a disk, and get none. */
export function warnOfLevels(graph: StreamGraph, logger: Logger): void {
  const streams = reachable(graph).flatMap(({ name, options: { persistLevel: level } }) =>
    level === undefined || level === 'memory' ? [] : [`"${name}" ('${level}')`],
  )
  if (streams.length === 0) return
  logger.warn(
    { streams },
    `Batches of ${streams.join(', ')} are kept in memory only, whatever the level: those that ` +
      `are beyond cacheBytesMax are dropped; raise it where slice() is to find more`,
  )
}
