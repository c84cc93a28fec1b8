export {
  type CustomReceiverOptions,
  customReceiver,
  type ReceiverSupervisor,
} from './custom-receiver.ts'
export {
  type BinaryFilesOptions,
  type BinaryRecordsOptions,
  binaryFiles,
  binaryRecords,
  type FilesOptions,
  type TextFilesOptions,
  textFiles,
} from './file-sources.ts'
export { queue, ValuesBlock } from './queue.ts'
export type { ReceiverHooks } from './receiver-life.ts'
export { type SocketLinesOptions, socketLines } from './socket-lines.ts'
