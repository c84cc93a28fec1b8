// A proxy before PostgreSQL that cuts a connection at a message that the test names.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Where a connection is cut: at the n-th piece that clients send, from 1. `passed`: the server
 * gets it, and its answer is lost. */
export interface Cut {
  readonly at: number
  readonly passed: boolean
}

/** A proxy that runs. */
export interface CuttingProxy {
  readonly port: number
  /** Pieces that clients have sent since the last call of `cut`. */
  readonly pieces: number
  /** Counts pieces from here on, and cuts once, or not at all. */
  cut(where?: Cut): void
  /** True if it has been cut where it was told to. */
  readonly isCut: boolean
  close(): Promise<void>
}

/** Starts a proxy before a server. */
export async function startProxy(serverPort: number): Promise<CuttingProxy> {
  let pieces = 0
  let where: Cut | undefined
  let isCut = false
  const open = new Set<Socket>()
  const proxy = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    const end = (): void => {
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      open.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        open.delete(socket)
        end()
      })
    }
    let deaf = false
    server.on('data', (data) => {
      // The server has done what was asked, and nobody learns of it.
      if (deaf) end()
      else client.write(data)
    })
    client.on('data', (data) => {
      pieces += 1
      if (pieces === where?.at) {
        isCut = true
        deaf = where.passed
        if (!where.passed) {
          end()
          return
        }
      }
      server.write(data)
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  return {
    port: (proxy.address() as AddressInfo).port,
    get pieces() {
      return pieces
    },
    get isCut() {
      return isCut
    },
    cut(next) {
      pieces = 0
      isCut = false
      where = next
    },
    async close() {
      proxy.close()
      for (const socket of open) socket.destroy()
      await once(proxy, 'close')
    },
  }
}
