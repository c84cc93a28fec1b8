// The simulator without a socket: what the SDK's client would send goes straight to the wire.

import type { HttpHandler } from '@smithy/core/protocols'
import type { Clock } from '../../clock.ts'
import type { Wire, WireResponse } from './wire.ts'

type Request = Parameters<HttpHandler['handle']>[0]
type Options = Parameters<HttpHandler['handle']>[1]
type Answer = Awaited<ReturnType<HttpHandler['handle']>>

/** Gives a `requestHandler` for the client of the AWS SDK. It opens no socket and sets no timer of
 * its own: waits are on `clock`. */
export function wireHandler(wire: Wire, clock: Clock): HttpHandler {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request, options) {
      const answered = wire.handle({
        method: request.method,
        path: pathOf(request),
        headers: lowerCase(request.headers),
        body: bytesOf(request.body),
      })
      const answer = await within(answered, clock, options)
      if (answer === 'cut') throw broken()
      return { response: responseOf(answer) }
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
}

/** What Node says where a server ends a connection without an answer. */
function broken(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}

function pathOf({ path, query }: Request): string {
  const pairs = Object.entries(query ?? {}).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one): [string, string] => [name, one]),
  )
  return pairs.length === 0 ? path : `${path}?${new URLSearchParams(pairs)}`
}

function lowerCase(headers: Request['headers']): Record<string, string> {
  const lower: Record<string, string> = {}
  for (const name in headers) lower[name.toLowerCase()] = headers[name] as string
  return lower
}

function bytesOf(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return Buffer.from(typeof body === 'string' ? body : '')
}

function responseOf({ status, headers, body }: WireResponse): Answer['response'] {
  return { statusCode: status, headers, body }
}

/** What a socket would do with the client's limits: an abort, and a request that takes too long. */
function within<T>(answer: Promise<T>, clock: Clock, options: Options = {}): Promise<T> {
  const { abortSignal, requestTimeout = 0 } = options
  const signal = abortSignal as AbortSignal | undefined
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(named('AbortError', 'Request aborted'))
    if (signal?.aborted === true) abort()
    signal?.addEventListener('abort', abort, { once: true })
    const tooLong = (): void => {
      reject(named('TimeoutError', `The request took longer than ${requestTimeout} ms`))
    }
    const cancel = requestTimeout > 0 ? clock.after(requestTimeout, tooLong) : undefined
    answer.then(resolve, reject).finally(() => {
      signal?.removeEventListener('abort', abort)
      cancel?.()
    })
  })
}

/** The SDK tells failures of a connection apart by their names. */
function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name })
}
