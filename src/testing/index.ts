export { CollectingSink } from './collecting-sink.ts'
export { FaultyStore, type StoreFault, type StoreOperation } from './faulty-store.ts'
export { ManualClock } from './manual-clock.ts'
export { MemoryStore } from './memory-store.ts'
export { type OnBatchOptions, onBatch } from './on-batch.ts'
export { quietLogger } from './quiet-logger.ts'
export {
  type BuildModule,
  type Death,
  type RunBatchesOptions,
  runBatches,
} from './run-batches.ts'

export {
  ScriptedReceiver,
  type ScriptedReceiverOptions,
  type ScriptStep,
} from './scripted-receiver.ts'
export { type ScriptBlocks, type ScriptPosition, scriptedSource } from './scripted-source.ts'
