// One port that speaks HTTP/1.1 and HTTP/2 without TLS: the SDK's own client speaks HTTP/2 and
// begins with its preface, others begin with a method.

import { once } from 'node:events'
import { createServer as createHttp1, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { createServer as createHttp2 } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { REQUEST_BYTES_MAX, type Wire, type WireRequest } from './wire.ts'

/** How HTTP/2 begins, where no TLS has agreed on it; no method of HTTP/1.1 begins so. */
const PREFACE = 'PRI'

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

/** Serves one wire. */
export class HttpServer {
  readonly #wire: Wire
  readonly #sockets = new Set<Socket>()
  readonly #port: Server
  readonly #http1 = createHttp1((request, response) => this.#serve(request, response))
  readonly #http2 = createHttp2((request, response) => this.#serve(request, response))

  private constructor(wire: Wire) {
    this.#wire = wire
    // As the server of HTTP/1.1 has it: a client may end its side and still read the answer.
    this.#port = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#welcome(socket)
    })
  }

  /** Listens on 127.0.0.1. Port 0 takes a free one. */
  static async listen(wire: Wire, port = 0): Promise<HttpServer> {
    const server = new HttpServer(wire)
    server.#port.listen(port, '127.0.0.1')
    await once(server.#port, 'listening')
    return server
  }

  /** Where it listens, for the `endpoint` of a client; only until it is closed. */
  get url(): string {
    return `http://127.0.0.1:${(this.#port.address() as AddressInfo).port}`
  }

  /** Breaks all connections and frees the port. */
  async close(): Promise<void> {
    if (!this.#port.listening) return
    const closed = once(this.#port, 'close')
    this.#port.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  /** Hands a connection to the server whose language it speaks. */
  #welcome(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    // A client that breaks its connection is no error of ours.
    socket.on('error', () => socket.destroy())
    let begun = Buffer.alloc(0)
    const look = (): void => {
      const chunk = socket.read() as Buffer | null
      if (chunk === null) return
      begun = Buffer.concat([begun, chunk])
      if (begun.length < PREFACE.length) return
      socket.off('readable', look)
      socket.unshift(begun)
      const isHttp2 = begun.toString('latin1', 0, PREFACE.length) === PREFACE
      if (isHttp2) socket.allowHalfOpen = false
      const server = isHttp2 ? this.#http2 : this.#http1
      server.emit('connection', socket)
    }
    socket.on('readable', look)
    socket.once('end', () => {
      if (begun.length < PREFACE.length) socket.destroy()
    })
  }

  #serve(request: Request, response: Response): void {
    this.#answer(request, response).catch((error: unknown) => {
      // An error of the simulator, not of the client: it must not look like an answer.
      breakConnection(request)
      this.#port.emit('error', error)
    })
  }

  async #answer(request: Request, response: Response): Promise<void> {
    const body = await readBody(request)
    if (body === 'broken') return
    const answer = await this.#wire.handle(wireRequest(request, body))
    if (answer === 'cut') {
      breakConnection(request)
      return
    }
    if (response.destroyed) return
    ;(response as ServerResponse).writeHead(answer.status, answer.headers)
    response.end(answer.body)
  }
}

function wireRequest(request: Request, body: Uint8Array): WireRequest {
  const headers: Record<string, string | undefined> = {}
  for (const name in request.headers) headers[name] = String(request.headers[name])
  return { method: request.method ?? '', path: request.url ?? '', headers, body }
}

/** Reads a body; 'broken' where its connection broke. Of one that is too long no more is kept than
 * shows it; the rest is read all the same, so that the client comes to read the answer. */
function readBody(request: Request): Promise<Uint8Array | 'broken'> {
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve) => {
    request.on('data', (chunk: Buffer) => {
      if (length > REQUEST_BYTES_MAX) return
      chunks.push(chunk)
      length += chunk.length
    })
    request.once('end', () => resolve(Buffer.concat(chunks, length)))
    request.once('error', () => resolve('broken'))
    request.once('close', () => resolve('broken'))
  })
}

function breakConnection(request: Request): void {
  if ('stream' in request) request.stream.session?.destroy()
  else request.socket.destroy()
}
