// An S3 service that honours conditional writes, in a process of its own: moto.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3StoreOptions } from '../../src/checkpoint/s3-options.ts'
import { motoCommand } from '../integration/moto-command.ts'

const BUCKET = 'checkpoints'
const TRIES_MAX = 400
const TRY_EVERY_MS = 50

export function hasMoto(): boolean {
  return spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0
}

/** A server with one bucket. */
export class MotoServer {
  readonly #child: ChildProcess
  readonly #endpoint: string

  private constructor(child: ChildProcess, endpoint: string) {
    this.#child = child
    this.#endpoint = endpoint
  }

  static async start(): Promise<MotoServer> {
    const port = await freePort()
    const [command, args] = motoCommand(port)
    const child = spawn(command, args, { stdio: 'ignore' })
    const server = new MotoServer(child, `http://127.0.0.1:${port}`)
    for (let tries = 0; !(await accepts(port)); tries += 1) {
      if (tries === TRIES_MAX) throw new Error('moto_server does not answer')
      await new Promise((again) => setTimeout(again, TRY_EVERY_MS))
    }
    const { endpoint, credentials, region } = server.place('')
    const config = { endpoint, credentials, region, forcePathStyle: true }
    const client = new S3Client(config as ConstructorParameters<typeof S3Client>[0] & object)
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
    client.destroy()
    return server
  }

  /** A place for a checkpoint. */
  place(prefix: string): S3StoreOptions {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    return { bucket: BUCKET, prefix, endpoint: this.#endpoint, region: 'us-east-1', credentials }
  }

  async close(): Promise<void> {
    const gone = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await gone
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
