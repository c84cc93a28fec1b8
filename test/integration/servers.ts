// The servers that integration tests run against, compatible with Kinesis and S3: how each is
// installed and started, and what it lacks.

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { KinesisSimulator } from 'millrace/testing'
import { leaveOut } from '../left-out.ts'
import { credentials } from './credentials.ts'
import { hasMoto, INSTALL_MOTO, startMoto } from './moto.ts'
import { answering, freePort, type RunningServer, spawnBound } from './server-process.ts'

/** What a server may lack; the tests that need it are not run against it. */
export type Gap =
  /** A closed shard that ends, and its children. */
  'resharding' | 'UpdateShardCount'

/** A kind of server. */
export interface ServerKind {
  readonly name: string
  /** The command that installs it. */
  readonly install: string
  readonly gaps: ReadonlySet<Gap>
  /** Not part of `npm ci`: left out where it is not installed, in CI too. */
  readonly optional?: true
  isInstalled(): boolean
  start(): Promise<RunningServer>
}

const require = createRequire(import.meta.url)

/** A client for a server; by HTTP/1.1, which all of them speak. */
export function clientOf({ endpoint }: RunningServer): KinesisClient {
  const requestHandler = new NodeHttpHandler()
  return new KinesisClient({ region: 'us-east-1', endpoint, credentials, requestHandler })
}

const kinesalite: ServerKind = {
  name: 'kinesalite',
  install: 'npm install --no-save kinesalite@3.3.3',
  gaps: new Set<Gap>(['UpdateShardCount']),
  isInstalled: () => resolves('kinesalite'),
  async start() {
    type Kinesalite = (options: Readonly<Record<string, number>>) => Server
    const make = require('kinesalite') as Kinesalite
    const times = { createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0 }
    const server = make({ ...times, shardLimit: 500 })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const close = async () => void server.close()
    return { endpoint: `http://127.0.0.1:${port}`, close }
  },
}

const DURATIONS = [
  'CREATE_STREAM_DURATION',
  'DELETE_STREAM_DURATION',
  'SPLIT_SHARD_DURATION',
  'MERGE_SHARDS_DURATION',
  'UPDATE_SHARD_COUNT_DURATION',
]

const kinesisLocal: ServerKind = {
  name: 'kinesis-local',
  install: 'npm install --no-save kinesis-local@0.6.2',
  gaps: new Set<Gap>(),
  isInstalled: () => resolves('kinesis-local/package.json'),
  async start() {
    const folder = dirname(require.resolve('kinesis-local/package.json'))
    const port = await freePort()
    const env = {
      ...process.env,
      KINESIS_MOCK_CERT_PATH: join(folder, 'server.json'),
      KINESIS_MOCK_PLAIN_PORT: String(port),
      KINESIS_MOCK_TLS_PORT: String(await freePort()),
      SHARD_LIMIT: '500',
      ...Object.fromEntries(DURATIONS.map((name) => [name, '0ms'])),
    }
    const args = [join(folder, 'main.js')]
    return answering(
      spawnBound(process.execPath, args, { env, stdio: 'ignore' }),
      port,
      listStreams,
    )
  },
}

const moto: ServerKind = {
  name: 'moto',
  install: INSTALL_MOTO,
  // Its closed shards never end: a reader would wait for ever.
  gaps: new Set<Gap>(['resharding', 'UpdateShardCount']),
  isInstalled: hasMoto,
  start: startMoto,
}

const VERSITYGW = process.env['VERSITYGW'] ?? 'versitygw'

/** An S3 gateway to a folder, in Go. */
const versitygw: Omit<ServerKind, 'gaps'> = {
  name: 'versitygw',
  install: 'go install -p 1 github.com/versity/versitygw/cmd/versitygw@latest',
  optional: true,
  isInstalled: () => spawnSync(VERSITYGW, ['--version'], { stdio: 'ignore' }).status === 0,
  async start() {
    const port = await freePort()
    const folder = await mkdtemp(join(tmpdir(), 'millrace-versitygw-'))
    const { accessKeyId, secretAccessKey } = credentials
    const keys = ['--access', accessKeyId, '--secret', secretAccessKey]
    const args = ['--port', `127.0.0.1:${port}`, ...keys, 'posix', folder]
    const server = await answering(spawnBound(VERSITYGW, args, { stdio: 'ignore' }), port)
    const close = async () => {
      await server.close()
      await rm(folder, { recursive: true })
    }
    return { ...server, close }
  },
}

const motoS3: Omit<ServerKind, 'gaps'> = {
  name: 'moto (S3)',
  install: moto.install,
  isInstalled: hasMoto,
  start: startMoto,
}

/** Servers that let one writer create an S3 object. Others, such as s3rver, do not. */
const S3_SERVERS = [motoS3, versitygw]

const simulator: ServerKind = {
  name: 'the simulator',
  install: 'npm ci',
  gaps: new Set<Gap>(),
  isInstalled: () => true,
  async start() {
    const made = new KinesisSimulator()
    return { endpoint: await made.listen(), close: () => made.close() }
  },
}

/** All kinds of servers. */
export const SERVERS: readonly ServerKind[] = [kinesalite, kinesisLocal, moto, simulator]

/** The servers that can be started here. Those that are not installed are listed as left out;
 * where MILLRACE_CI is set, one that `npm ci` should have brought makes it throw. */
export function installedServers(): ServerKind[] {
  return SERVERS.filter(isReady)
}

/** The S3-compatible servers that can be started here; the others as above. */
export function installedS3Servers(): Omit<ServerKind, 'gaps'>[] {
  return S3_SERVERS.filter(isReady)
}

function isReady(kind: Omit<ServerKind, 'gaps'>): boolean {
  if (kind.isInstalled()) return true
  if (kind.optional !== true || process.env['MILLRACE_CI'] === undefined) {
    leaveOut(`tests that need ${kind.name}`, kind.install)
  }
  return false
}

function resolves(module: string): boolean {
  try {
    require.resolve(module)
    return true
  } catch {
    return false
  }
}

async function listStreams(server: RunningServer): Promise<void> {
  const client = clientOf(server)
  try {
    await client.send(new ListStreamsCommand({}))
  } finally {
    client.destroy()
  }
}
