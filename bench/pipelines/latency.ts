import { pipeline } from 'millrace'
import { socketLines } from 'millrace/sources'
import { recordArrival } from '../latency/arrivals.ts'
import { benchOptions } from './results.ts'

/** Where the lines come from. */
export interface LatencyArgs {
  readonly port: number
}

/** Reads when each line was due, and does nothing more. */
export default pipeline('latency', benchOptions, (ssc, { port }: LatencyArgs) => {
  const lines = ssc.receive(socketLines({ host: '127.0.0.1', port }))
  const due = lines.map((line) => Number(line.slice(0, line.indexOf(','))))
  due.foreachBatch(async (batch) => recordArrival(await batch.collect()))
})
