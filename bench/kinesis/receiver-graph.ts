// What the I/O thread builds: a pipeline that receives a stream, with the client that it makes.

import { kinesis } from 'millrace/kinesis'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'
import { CLIENT, measureReads, type ReadTask } from './measured-reads.ts'

export { sinks }

export default async function build(task: ReadTask): Promise<StreamGraph> {
  const { stream, endpoint, recordsPerCall: recordsPerCallMax } = task
  measureReads(task.memory)
  const graph = new StreamGraph(100)
  const options = { ...CLIENT, stream, endpoint, recordsPerCallMax }
  const source = kinesis({ ...options, startAt: 'TRIM_HORIZON' })
  new StreamingContext(graph).receive(source).foreachBatch(() => undefined)
  graph.start()
  return graph
}
