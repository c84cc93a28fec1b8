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
