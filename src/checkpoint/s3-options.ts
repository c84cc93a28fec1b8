// Where an S3 checkpoint lives, as its user writes it.

import { ConfigError } from '../errors.ts'

/** The part of an S3 client that the store uses; that of `@aws-sdk/client-s3` has it. */
export interface S3Sender {
  /** Sends a command. */
  send(command: never): Promise<unknown>
}

/** Where an S3 checkpoint lives, and how it is reached. */
export interface S3StoreOptions {
  /** Name of the bucket. */
  readonly bucket: string
  /** What the keys of the checkpoint begin with. One pipeline, one prefix. @default none */
  readonly prefix?: string
  /** Region of the bucket. @default what the AWS SDK finds in the environment */
  readonly region?: string
  /** URL of a service other than AWS's own; keys follow the bucket in its path.
   * @default AWS's endpoint of the region */
  readonly endpoint?: string
  /** Who asks. @default what the AWS SDK finds in the environment */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  /** A client of one's own instead of `region`, `endpoint` and `credentials`. It must not try again
   * by itself (`maxAttempts: 1`), and is not destroyed by the store.
   * @default one that the store makes and destroys */
  readonly client?: S3Sender
  /** Calls in flight at once; those for slots of the log never wait for the others. 1
   * to 1,000. @default 8 */
  readonly concurrentCallsMax?: number
}

/** The place of a checkpoint, checked. */
export interface S3Place {
  readonly bucket: string
  /** Empty, or ends with `/`. */
  readonly prefix: string
}

/** True for a text such as `s3://bucket/prefix`. */
export function isS3Url(text: string): boolean {
  return text.startsWith('s3:')
}

/** Reads `s3://bucket/prefix`. Throws ConfigError for anything else. */
export function optionsOfUrl(url: string): S3StoreOptions {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(url)
  if (match === null) {
    throw new ConfigError(`Cannot use checkpoint "${url}": write it as s3://bucket/prefix`)
  }
  return { bucket: match[1] ?? '', prefix: match[2] ?? '' }
}

const BUCKET = /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/
const PREFIX = /^[\w!.*'()-]+(\/[\w!.*'()-]+)*$/

/** Checks bucket and prefix. */
export function placeOf({ bucket, prefix = '' }: S3StoreOptions): S3Place {
  if (!BUCKET.test(bucket)) {
    throw new ConfigError(
      `Cannot keep a checkpoint in bucket "${bucket}": its name must have 3 to 63 characters, ` +
        `small letters, digits, "-" and "."`,
    )
  }
  const trimmed = prefix.replace(/^\/+|\/+$/g, '')
  if (trimmed === '') return { bucket, prefix: '' }
  if (PREFIX.test(trimmed)) return { bucket, prefix: `${trimmed}/` }
  throw new ConfigError(
    `Cannot keep a checkpoint under prefix "${prefix}" of bucket "${bucket}": it must be made of ` +
      `letters, digits, "/" and !-_.*'(), with something between two "/"`,
  )
}
