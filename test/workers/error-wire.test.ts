import { ConfigError, StreamingError, TaskError } from 'millrace'
import { describe, expect, test } from 'vitest'
import { fromWire, toWire } from '../../src/workers/error-wire.ts'

/** What arrives in another thread. */
function sent(thrown: unknown): unknown {
  return fromWire(structuredClone(toWire(thrown)))
}

describe('an error that crosses threads', () => {
  const place = { time: 5, operator: 'map-1', partition: 2, record: 3, position: 'byte 9' }
  const errors: Readonly<Record<string, Error>> = {
    StreamingError: new StreamingError('SINK_FAILED', 'no', { retryable: true }),
    ConfigError: new ConfigError('wrong', { code: 'CONTEXT_CLOSED' }),
    TaskError: new TaskError(place, new RangeError('too far')),
    TypeError: new TypeError('no function'),
    'an error with a code': Object.assign(new Error('gone'), { code: 'ENOENT' }),
  }

  test.each(Object.entries(errors))(
    'keeps the class, code, message and stack of %s',
    (_n, error) => {
      const arrived = sent(error) as Error
      expect(arrived).toBeInstanceOf(error.constructor)
      expect(arrived.name).toBe(error.name)
      expect(arrived.message).toBe(error.message)
      expect(arrived.stack).toBe(error.stack)
      expect(Reflect.get(arrived, 'code')).toBe(Reflect.get(error, 'code'))
      expect(Reflect.get(arrived, 'retryable')).toBe(Reflect.get(error, 'retryable'))
    },
  )

  test('keeps its causes, and the place of a failed task', () => {
    const arrived = sent(new StreamingError('SINK_FAILED', 'no', { cause: errors['TaskError'] }))
    const cause = (arrived as Error).cause as TaskError
    expect(cause).toBeInstanceOf(TaskError)
    expect(cause.place).toEqual(place)
    expect(cause.cause).toBeInstanceOf(RangeError)
  })

  test('keeps the name of a class that the other thread does not know', () => {
    class BadRecord extends Error {
      override readonly name = 'BadRecord'
    }
    expect(sent(new BadRecord('b'))).toMatchObject({ name: 'BadRecord', message: 'b' })
  })

  test('gives what is no error as its text', () => {
    expect(sent('plain')).toBe('plain')
    expect(sent(undefined)).toBe('undefined')
  })

  test('ends a chain of causes that has no end', () => {
    const error = new Error('round')
    error.cause = error
    expect(sent(error)).toMatchObject({ message: 'round' })
  })
})
