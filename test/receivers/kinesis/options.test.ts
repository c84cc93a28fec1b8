import { expect, test } from 'vitest'
import { kinesisSettings } from '../../../src/receivers/kinesis/options.ts'

const ARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'

test('an ARN gives the name and the region', () => {
  const { stream, region } = kinesisSettings({ streamARN: ARN })
  expect({ stream, region }).toEqual({ stream: 'orders', region: 'eu-west-1' })
  const china = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/a.b-c_d'
  expect(kinesisSettings({ streamARN: china }).stream).toBe('a.b-c_d')
})

test.each([
  [{}, /without a stream: give stream or streamARN/],
  [{ stream: '' }, /without a stream: give stream or streamARN/],
  [{ streamARN: 'orders' }, /"orders" as streamARN: it must be of the form arn:aws:kinesis:/],
  [{ streamARN: ARN, stream: 'payments' }, /stream "payments" beside streamARN/],
  [{ streamARN: ARN, region: 'us-east-1' }, /region "us-east-1" beside streamARN/],
  [{ stream: 's', pollIntervalMs: 100 }, /100 as pollIntervalMs: it must be .*from 200 to 60000/],
  [{ stream: 's', recordsPerCallMax: 10_001 }, /10001 as recordsPerCallMax/],
  [{ stream: 's', recordsPerCallMax: 5.5 }, /5.5 as recordsPerCallMax/],
  [{ stream: 's', concurrentCallsMax: 0 }, /0 as concurrentCallsMax/],
  [{ stream: 's', startAt: 'OLDEST' as 'LATEST' }, /start at "OLDEST": use 'TRIM_HORIZON'/],
  [{ stream: 's', onGap: 'ignore' as 'skip' }, /ignore.* as onGap/],
])('what cannot be read is refused where it is written: %j', (options, message) => {
  expect(() => kinesisSettings(options)).toThrow(message)
})
