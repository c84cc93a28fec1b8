// An S3 service with a bucket, in a process of its own: moto, which honours conditional writes.

import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3StoreOptions } from '../../src/checkpoint/s3-options.ts'
import { startMoto } from '../integration/moto.ts'
import type { RunningServer } from '../integration/server-process.ts'

const BUCKET = 'checkpoints'

/** A server with one bucket. */
export class MotoServer {
  readonly #server: RunningServer

  private constructor(server: RunningServer) {
    this.#server = server
  }

  static async start(): Promise<MotoServer> {
    const server = new MotoServer(await startMoto())
    const { endpoint, credentials, region } = server.place('')
    const config = { endpoint, credentials, region, forcePathStyle: true }
    const client = new S3Client(config as ConstructorParameters<typeof S3Client>[0] & object)
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
    client.destroy()
    return server
  }

  /** A place for a checkpoint. */
  place(prefix: string): S3StoreOptions {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    const { endpoint } = this.#server
    return { bucket: BUCKET, prefix, endpoint, region: 'us-east-1', credentials }
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}
