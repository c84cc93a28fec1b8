export { ValuesBlock } from '../batch/values-block.ts'
export {
  type BinaryFilesOptions,
  type BinaryRecordsOptions,
  binaryFiles,
  binaryRecords,
  type FilesOptions,
  type TextFilesOptions,
  textFiles,
} from './file-sources.ts'
export { queue } from './queue.ts'
