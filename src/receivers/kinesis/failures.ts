// Which failures of the service are worth another try, and what to tell the user of the others.

import { messageOf, StreamingError } from '../../errors.ts'
import type { KinesisSettings } from './options.ts'

const FATAL = new Set([
  'ResourceNotFoundException',
  'AccessDeniedException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'IncompleteSignatureException',
  'ExpiredTokenException',
  'CredentialsProviderError',
  'ValidationException',
  'InvalidArgumentException',
  'KMSAccessDeniedException',
  'KMSDisabledException',
])

const THROTTLED = new Set([
  'ProvisionedThroughputExceededException',
  'LimitExceededException',
  'ThrottlingException',
  'KMSThrottlingException',
])

/** What kind of failure it is. */
export function kindOf(error: unknown): 'expired' | 'throttled' | 'fatal' | 'retry' {
  const name = error instanceof Error ? error.name : ''
  if (name === 'ExpiredIteratorException') return 'expired'
  if (THROTTLED.has(name)) return 'throttled'
  if (FATAL.has(name) || /region is missing/i.test(messageOf(error))) return 'fatal'
  return 'retry'
}

/** The error of a call that will not succeed as things are. */
export function unreachable(settings: KinesisSettings, cause: unknown): StreamingError {
  return new StreamingError(
    'SOURCE_UNREACHABLE',
    `Cannot read Kinesis stream "${settings.stream}" at ${place(settings)}: ` +
      `${messageOf(cause) || (cause instanceof Error ? cause.name : 'no answer')}; ` +
      `${advice(cause)}`,
    { cause },
  )
}

function place({ options }: KinesisSettings): string {
  return options.endpoint ?? `the service's endpoint in region ${options.region ?? '(default)'}`
}

function advice(cause: unknown): string {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'ResourceNotFoundException') {
    return 'check the name of the stream, its region and the account, or create it'
  }
  if (name === 'CredentialsProviderError' || name === 'UnrecognizedClientException') {
    return 'give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  }
  if (name === 'AccessDeniedException') {
    return 'allow kinesis:ListShards, GetShardIterator, GetRecords and DescribeStreamSummary'
  }
  if (/region is missing/i.test(messageOf(cause))) return 'give region, or set AWS_REGION'
  return 'check that the endpoint is right and can be reached from here'
}
