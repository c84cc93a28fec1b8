// Errors across threads: class, code, message, stack and cause arrive as they were thrown.

import {
  ConfigError,
  type ErrorCode,
  StreamingError,
  TaskError,
  type TaskPlace,
} from '../errors.ts'

/** An error as data. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly retryable: boolean | undefined
  readonly place: TaskPlace | undefined
  readonly cause: WireError | undefined
  /** What was thrown, where it was no error; undefined if it cannot be sent. */
  readonly thrown: { readonly text: string } | undefined
}

const DEPTH_MAX = 8

/** Turns what was thrown into data. */
export function toWire(thrown: unknown, depth = 0): WireError {
  if (!(thrown instanceof Error)) {
    const text = String(thrown)
    const none = { stack: undefined, code: undefined, retryable: undefined, place: undefined }
    return { name: 'Error', message: text, ...none, cause: undefined, thrown: { text } }
  }
  const { name, message, stack, cause } = thrown
  const code: unknown = Reflect.get(thrown, 'code')
  return {
    name,
    message,
    stack,
    code: typeof code === 'string' ? code : undefined,
    retryable: thrown instanceof StreamingError ? thrown.retryable : undefined,
    place: thrown instanceof TaskError ? thrown.place : undefined,
    cause: cause === undefined || depth >= DEPTH_MAX ? undefined : toWire(cause, depth + 1),
    thrown: undefined,
  }
}

const BUILT_IN: Readonly<Record<string, new (message: string, options?: ErrorOptions) => Error>> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
}

/** Makes the error of its data: of the same class where that is millrace's or the language's. */
export function fromWire(wire: WireError): unknown {
  if (wire.thrown !== undefined) return wire.thrown.text
  const cause = wire.cause === undefined ? undefined : fromWire(wire.cause)
  const error = errorOf(wire, cause === undefined ? undefined : { cause })
  if (wire.stack !== undefined) {
    Object.defineProperty(error, 'stack', { value: wire.stack, configurable: true, writable: true })
  }
  return error
}

function errorOf(wire: WireError, options: ErrorOptions | undefined): Error {
  const { name, message, code, place } = wire
  if (place !== undefined) return new TaskError(place, options?.cause)
  if (name === 'ConfigError')
    return new ConfigError(message, { ...options, code: code as ErrorCode })
  if (name === 'StreamingError') {
    const retryable = wire.retryable ?? false
    return new StreamingError(code as ErrorCode, message, { ...options, retryable })
  }
  const error = new (BUILT_IN[name] ?? Error)(message, options)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true })
  if (code !== undefined) Object.assign(error, { code })
  return error
}
