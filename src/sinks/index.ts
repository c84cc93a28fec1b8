export { type ConsoleOptions, console } from './console.ts'
export { files } from './files.ts'
export type {
  DriverSink,
  Sink,
  SinkBatch,
  SinkCommitter,
  SinkContext,
  SinkReceipt,
  SinkTask,
  SinkTaskContext,
  SinkTaskWriter,
  SinkWriter,
  TaskReceipt,
  TaskSink,
  WrittenPartition,
} from './sink.ts'
