export { Batch, type PairBatch } from './batch/batch.ts'
export type { Block, BlockParcel, TextPieces } from './batch/block.ts'
export type { PairTable } from './batch/join-transformations.ts'
export type { Partitions } from './batch/partition-count.ts'
export type { UseMapAsync } from './batch/promise.ts'
export type { Widen } from './batch/widen.ts'
export type { CheckpointStore, StoreRecipe } from './checkpoint/store.ts'
export type { Clock } from './clock.ts'
export type { Accumulator } from './dstream/accumulator.ts'
export type { Broadcast } from './dstream/broadcast.ts'
export { DStream, MapWithStateDStream } from './dstream/dstream.ts'
export type { BatchContext } from './dstream/graph.ts'
export type { JoinSide } from './dstream/join-operators.ts'
export type { Pairs, Reduce } from './dstream/pair-operators.ts'
export type { PersistLevel } from './dstream/persist-level.ts'
export type { MapAsyncOptions } from './dstream/record-operators.ts'
export type {
  MapWithStateOptions,
  State,
  UpdateStateByKeyOptions,
} from './dstream/state-operators.ts'
export type { InverseWindowOptions } from './dstream/window-operators.ts'
export type { Duration } from './duration.ts'
export { ConfigError, type ErrorCode, StreamingError, TaskError, type TaskPlace } from './errors.ts'
export type {
  BatchInfo,
  EndedBatchInfo,
  EventOf,
  Logger,
  OutputOperationInfo,
  ShardNews,
  SourceInfo,
  StartedBatchInfo,
  StreamEvent,
} from './events.ts'
export { type Pipeline, pipeline } from './pipeline.ts'
export type {
  CutLimits,
  PartitionPositions,
  Position,
  RangeData,
  Receiver,
  ReceiverContext,
  ReceiverNews,
  Source,
  SourceRange,
} from './receivers/receiver.ts'
export type { Run } from './run.ts'
export type { Metrics } from './scheduler/metrics.ts'
export type { BackpressureOptions, PipelineOptions } from './scheduler/options.ts'
export type { CompletedBatch } from './scheduler/progress.ts'
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
} from './sinks/sink.ts'
export { start } from './start.ts'
export type { StartModuleOptions, StartOptions } from './start-options.ts'
export type { StreamingContext } from './streaming-context.ts'
