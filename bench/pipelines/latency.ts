import { ConfigError, pipeline, type Source } from 'millrace'
import * as sources from 'millrace/sources'
import { recordArrival } from '../latency/arrivals.ts'
import { benchOptions } from './results.ts'

/** Where the lines come from. */
export interface LatencyArgs {
  readonly port: number
}

type SocketLines = (options: { readonly host: string; readonly port: number }) => Source<string>

/** Reads when each line was due, and does nothing more. */
export default pipeline('latency', benchOptions, (ssc, { port }: LatencyArgs) => {
  const { socketLines } = sources as { readonly socketLines?: SocketLines }
  if (socketLines === undefined) throw new ConfigError('This version has no socketLines')
  const lines = ssc.receive(socketLines({ host: '127.0.0.1', port }))
  const due = lines.map((line) => Number(line.slice(0, line.indexOf(','))))
  due.foreachBatch(async (batch) => recordArrival(await batch.collect()))
})
