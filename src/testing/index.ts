export type { BuildModule } from './batches-graph.ts'
export {
  checkSink,
  type SinkGuarantee,
  type SinkUnderTest,
  type SinkViolation,
} from './check-sink.ts'
export { CollectingSink } from './collecting-sink.ts'
export { FaultyStore, type StoreFault, type StoreOperation } from './faulty-store.ts'
export type { LoggedCall } from './kinesis/call-log.ts'
export type { FaultKind, FaultRule } from './kinesis/faults.ts'
export type { KinesisLimits } from './kinesis/kinesis-limits.ts'
export { ServiceFault } from './kinesis/service-fault.ts'
export { KinesisSimulator, type KinesisSimulatorOptions } from './kinesis/simulator.ts'
export type { ShardTraffic } from './kinesis/traffic-book.ts'
export { ManualClock } from './manual-clock.ts'
export { MemoryStore } from './memory-store.ts'
export { type OnBatchOptions, onBatch } from './on-batch.ts'
export { quietLogger } from './quiet-logger.ts'
export {
  type Death,
  type RunBatchesOptions,
  runBatches,
} from './run-batches.ts'
export {
  ScriptedReceiver,
  type ScriptedReceiverOptions,
  type ScriptStep,
} from './scripted-receiver.ts'
export { type ScriptPosition, scriptedSource } from './scripted-source.ts'
