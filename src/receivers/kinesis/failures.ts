// Which failures of the service are worth another try, and what to tell the user of the others.
//
// The codes are those of the API reference: the errors of each operation, and "Common errors"
// (docs.aws.amazon.com/kinesis/latest/APIReference).

import { codeOf, messageOf, StreamingError } from '../../errors.ts'
import { httpStatusOf } from '../../service-calls.ts'
import type { KinesisSettings } from './options.ts'

/** What is to be done about a failed call. */
export type FailureKind =
  /** The iterator, or the token of a listing, is too old: make a new one. */
  | 'expired'
  /** The shard or the account gave what it may: go on slower. */
  | 'throttled'
  /** It may pass: try again after a while. */
  | 'retry'
  /** Credentials that may be renewed: a few more tries. */
  | 'renew'
  /** Stays as it is until somebody changes something. */
  | 'fatal'

const KINDS: Readonly<Record<string, FailureKind>> = {
  ExpiredIteratorException: 'expired',
  ExpiredNextTokenException: 'expired',

  ProvisionedThroughputExceededException: 'throttled',
  LimitExceededException: 'throttled',
  ThrottlingException: 'throttled',
  Throttling: 'throttled',
  RequestThrottled: 'throttled',
  RequestThrottledException: 'throttled',
  TooManyRequestsException: 'throttled',
  KMSThrottlingException: 'throttled',

  InternalFailure: 'retry',
  InternalFailureException: 'retry',
  InternalServerError: 'retry',
  ServiceUnavailable: 'retry',
  ServiceUnavailableException: 'retry',
  RequestTimeout: 'retry',
  RequestTimeoutException: 'retry',
  RequestAbortedException: 'retry',
  // The stream is being created or changed.
  ResourceInUseException: 'retry',

  ExpiredToken: 'renew',
  ExpiredTokenException: 'renew',
  RequestExpired: 'renew',
  // Also where the clock of this machine is off: the SDK corrects it after the first answer.
  InvalidSignatureException: 'renew',
  SignatureDoesNotMatch: 'renew',

  AccessDenied: 'fatal',
  AccessDeniedException: 'fatal',
  NotAuthorized: 'fatal',
  OptInRequired: 'fatal',
  UnrecognizedClientException: 'fatal',
  InvalidClientTokenId: 'fatal',
  IncompleteSignature: 'fatal',
  IncompleteSignatureException: 'fatal',
  MissingAuthenticationToken: 'fatal',
  MissingAuthenticationTokenException: 'fatal',
  CredentialsProviderError: 'fatal',
  TokenProviderError: 'fatal',
  ResourceNotFoundException: 'fatal',
  InvalidArgumentException: 'fatal',
  ValidationError: 'fatal',
  ValidationException: 'fatal',
  SerializationException: 'fatal',
  MalformedHttpRequestException: 'fatal',
  RequestEntityTooLargeException: 'fatal',
  UnknownOperationException: 'fatal',
  InvalidAction: 'fatal',
  KMSAccessDeniedException: 'fatal',
  KMSDisabledException: 'fatal',
  KMSInvalidStateException: 'fatal',
  KMSNotFoundException: 'fatal',
  KMSOptInRequired: 'fatal',
}

const TOO_MANY_REQUESTS = 429

/** What kind of failure it is. What has no name of its own, such as a connection that broke, is
 * tried again. */
export function kindOf(error: unknown): FailureKind {
  const name = error instanceof Error ? error.name : ''
  // A time that has not come yet for the service, whose clock is behind: it will.
  if (/cannot be greater than the current/i.test(messageOf(error))) return 'retry'
  if (Object.hasOwn(KINDS, name)) return KINDS[name] as FailureKind
  if (/region is missing/i.test(messageOf(error))) return 'fatal'
  return httpStatusOf(error) === TOO_MANY_REQUESTS ? 'throttled' : 'retry'
}

/** True where what was asked for is not there, or is of another stream: it may have been dropped,
 * or made anew under the same name. */
export function isGone(error: unknown): boolean {
  if (codeOf(error) !== 'SOURCE_UNREACHABLE' || !(error instanceof StreamingError)) return false
  const { cause } = error
  const name = cause instanceof Error ? cause.name : ''
  return name === 'ResourceNotFoundException' || name === 'InvalidArgumentException'
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

function place({ options, region }: KinesisSettings): string {
  if (options.client !== undefined) return 'the endpoint of the client that is given'
  return options.endpoint ?? `the service's endpoint in region ${region ?? '(default)'}`
}

function advice(cause: unknown): string {
  const name = cause instanceof Error ? cause.name : ''
  if (name === 'ResourceNotFoundException') {
    return 'check the name of the stream, its region and the account, or create it'
  }
  if (name === 'CredentialsProviderError' || name === 'UnrecognizedClientException') {
    return 'give credentials, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
  }
  if (/^Expired|^RequestExpired|^Signature|^InvalidSignature/.test(name)) {
    return 'renew the credentials, and check the clock of this machine'
  }
  if (/^AccessDenied|^NotAuthorized/.test(name)) {
    return 'allow kinesis:DescribeStreamSummary, ListShards, GetShardIterator and GetRecords'
  }
  if (name.startsWith('KMS')) return "allow kms:Decrypt, and check the state of the stream's key"
  if (/region is missing/i.test(messageOf(cause))) return 'give region, or set AWS_REGION'
  return 'check that the endpoint is right and can be reached from here'
}
