import { expect, test } from 'vitest'
import { kindOf } from '../../../src/receivers/kinesis/failures.ts'

const named = (name: string, message = '') => Object.assign(new Error(message), { name })

test.each([
  ['ExpiredIteratorException', 'expired'],
  ['ExpiredNextTokenException', 'expired'],
  ['ProvisionedThroughputExceededException', 'throttled'],
  ['KMSThrottlingException', 'throttled'],
  ['LimitExceededException', 'throttled'],
  ['InternalFailureException', 'retry'],
  ['ServiceUnavailable', 'retry'],
  ['ResourceInUseException', 'retry'],
  ['TimeoutError', 'retry'],
  ['AbortError', 'retry'],
  ['ExpiredTokenException', 'renew'],
  ['ResourceNotFoundException', 'fatal'],
  ['AccessDeniedException', 'fatal'],
  ['KMSDisabledException', 'fatal'],
  ['InvalidArgumentException', 'fatal'],
])('%s is %s', (name, kind) => {
  expect(kindOf(named(name))).toBe(kind)
})

test('a broken connection and what has no name are tried again', () => {
  expect(kindOf(Object.assign(new Error('read'), { code: 'ECONNRESET' }))).toBe('retry')
  expect(kindOf('what')).toBe('retry')
})

test('status 429 without a name is a refusal', () => {
  const error = Object.assign(new Error('slow down'), { $metadata: { httpStatusCode: 429 } })
  expect(kindOf(error)).toBe('throttled')
})

test('a time that the service has not reached yet is waited for', () => {
  const message =
    'The timestampInMillis parameter cannot be greater than the currentTimestampInMillis'
  expect(kindOf(named('InvalidArgumentException', message))).toBe('retry')
})
