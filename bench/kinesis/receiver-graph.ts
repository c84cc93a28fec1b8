// What the I/O thread builds: a pipeline that receives a stream.

import { kinesis } from 'millrace/kinesis'
import { StreamGraph } from '../../src/dstream/graph.ts'
import { sinks } from '../../src/pipeline-graph.ts'
import { StreamingContext } from '../../src/streaming-context.ts'
import { measuredClient, type ReadTask } from './measured-client.ts'

export { sinks }

export default async function build(task: ReadTask): Promise<StreamGraph> {
  const graph = new StreamGraph(100)
  const { stream, recordsPerCall: recordsPerCallMax } = task
  const client = measuredClient(task)
  const source = kinesis({ stream, startAt: 'TRIM_HORIZON', client, recordsPerCallMax })
  new StreamingContext(graph).receive(source).foreachBatch(() => undefined)
  graph.start()
  return graph
}
