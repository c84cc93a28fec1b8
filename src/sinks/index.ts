export { type ConsoleOptions, console } from './console.ts'
export { files } from './files.ts'
export type { Sink, SinkBatch, SinkContext, SinkReceipt, SinkWriter } from './sink.ts'
