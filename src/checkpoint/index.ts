export type { S3Sender, S3StoreOptions } from './s3-options.ts'
export { S3Store } from './s3-store.ts'
