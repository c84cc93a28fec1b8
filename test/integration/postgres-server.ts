// A PostgreSQL server of the test's own: made in a folder that is removed with it, on a free port,
// without fsync.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import pg from 'pg'
import { leaveOut } from '../left-out.ts'
import { freePort } from './server-process.ts'

/** A server that runs. */
export interface PostgresServer {
  readonly port: number
  readonly url: string
  /** A client of the test's own. */
  readonly client: pg.Client
  close(): Promise<void>
}

const DEBIAN = '/usr/lib/postgresql'

/** The folder of the server's programs; undefined where it is not installed. */
function programs(): string | undefined {
  const found = spawnSync('sh', ['-c', `command -v initdb || ls -d ${DEBIAN}/*/bin/initdb`])
  const path = String(found.stdout).trim().split('\n').at(-1) ?? ''
  return path === '' ? undefined : path.replace(/\/initdb$/, '')
}

/** True if a server can be started. Where not, the tests that need it are listed as left out;
 * where MILLRACE_CI is set, it throws. */
export function hasPostgres(): boolean {
  if (programs() !== undefined) return true
  leaveOut('tests that need PostgreSQL', 'apt-get install --no-install-recommends postgresql')
  return false
}

/** The server refuses to run as root: then it runs as the user that its package made. */
function owner(): { readonly uid: number; readonly gid: number } | object {
  if (process.getuid?.() !== 0) return {}
  const id = (what: string) => Number(spawnSync('id', [what, 'postgres']).stdout)
  return { uid: id('-u'), gid: id('-g') }
}

/** Starts a server. It ends with `close`, and with this process. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = programs() ?? ''
  const user = owner()
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pg-'))
  if ('uid' in user) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const options = { ...user, cwd: folder }
  const made = spawnSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8', '--locale=C'],
    options,
  )
  if (made.status !== 0) throw new Error(`Cannot make a database: ${String(made.stderr)}`)
  const port = await freePort()
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', 'max_connections=200']
  const args = ['-D', data, '-p', String(port), '-k', folder]
  const child = spawn(
    join(bin, 'postgres'),
    [...args, ...settings.flatMap((setting) => ['-c', setting])],
    { ...options, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const kill = (): void => void child.kill('SIGQUIT')
  process.once('exit', kill)
  const exited = once(child, 'exit')
  await ready(child.stderr)
  child.stderr.resume()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const client = new pg.Client({ connectionString: url })
  // The test that ends the server knows.
  client.on('error', () => undefined)
  await client.connect()
  const close = async (): Promise<void> => {
    await client.end()
    process.off('exit', kill)
    child.kill('SIGINT')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  return { port, url, client, close }
}

async function ready(log: Readable): Promise<void> {
  let told = ''
  for await (const piece of log.iterator({ destroyOnReturn: false })) {
    told += String(piece)
    if (told.includes('ready to accept connections')) return
  }
  throw new Error(`Cannot start PostgreSQL: ${told}`)
}

/** Rows of a query, as the client gives them. */
export async function rowsOf(server: PostgresServer, text: string): Promise<unknown[]> {
  return (await server.client.query(text)).rows as unknown[]
}
