// PostgreSQL as a stepped world sees it: each statement, each piece of a COPY and its end are
// steps. It stands between the sinks' pools and the client `pg`, in this process; nothing in the
// engine knows of it.

import pg from 'pg'
import type { SteppedWorld } from './stepped-world.ts'

type Client = object & {
  readonly connection: { readonly stream: { destroy(): void } }
  readonly query: (...args: unknown[]) => unknown
  on(event: 'error', told: () => void): void
}
type Call = (...args: never[]) => Promise<unknown>
type Done = (error?: Error | null) => void

/** What `pg-copy-streams` has of a stream that writes. */
interface CopyStream {
  readonly text: string
  _write: (chunk: unknown, encoding: unknown, done: Done) => void
  _writev: (chunks: unknown, done: Done) => void
  _final: (done: Done) => void
}

const pools = pg.Pool.prototype as unknown as { connect: Call; end: Call }
const real = { connect: pools.connect, end: pools.end }
const worldOf = new WeakMap<object, WatchedPostgres>()
let watching: WatchedPostgres | undefined

/** Begins the names of the steps. */
export const SQL = 'sql '

/** The connections of one life. */
export class WatchedPostgres {
  readonly #world: SteppedWorld
  readonly #clients = new Set<Client>()

  /** Watches the pools that connect for the first time from now on. */
  constructor(world: SteppedWorld) {
    this.#world = world
    watching = this
    pools.connect = connectWatched as Call
    pools.end = endWatched as Call
  }

  /** Breaks the connections, and lets later pools be. Those of this life stay watched: where the
   * world has stopped they wait for ever. */
  close(): void {
    if (watching === this) watching = undefined
    for (const { connection } of this.#clients) connection.stream.destroy()
  }

  connect(pool: object): Promise<unknown> {
    return this.#world.pass(async () => {
      const client = (await real.connect.call(pool as never)) as Client
      if (!this.#clients.has(client)) this.#watchClient(client)
      return client
    })
  }

  #watchClient(client: Client): void {
    this.#clients.add(client)
    // That its connection breaks concerns nobody who is dead.
    client.on('error', () => undefined)
    const query = client.query.bind(client)
    Object.assign(client, {
      query: (...args: unknown[]) => {
        const [what] = args
        if (isCopy(what)) return query(this.#watch(what))
        return this.#world.change(`${SQL}${shortOf(String(what))}`, async () => query(...args))
      },
    })
  }

  end(pool: object): Promise<unknown> {
    return this.#world.pass(() => real.end.call(pool as never))
  }

  #watch(copy: CopyStream): CopyStream {
    const write = copy._write.bind(copy)
    const writev = copy._writev.bind(copy)
    const final = copy._final.bind(copy)
    copy._write = (chunk, encoding, done) =>
      this.#step('COPY rows', (end) => write(chunk, encoding, end), done)
    copy._writev = (chunks, done) => this.#step('COPY rows', (end) => writev(chunks, end), done)
    copy._final = (done) => this.#step('COPY end', final, done)
    return copy
  }

  #step(name: string, act: (end: Done) => void, done: Done): void {
    const acting = (): Promise<void> =>
      new Promise((resolve, reject) => {
        act((error) => (error ? reject(error) : resolve()))
      })
    this.#world.change(`${SQL}${name}`, acting).then(() => done(), done)
  }
}

function isCopy(what: unknown): what is CopyStream {
  return typeof what === 'object' && what !== null && '_final' in what
}

/** The first words of a statement. */
function shortOf(statement: string): string {
  return statement.trim().split(/\s+/).slice(0, 3).join(' ')
}

function watchOf(pool: object): WatchedPostgres | undefined {
  const known = worldOf.get(pool) ?? watching
  if (known !== undefined) worldOf.set(pool, known)
  return known
}

function connectWatched(this: object): Promise<unknown> {
  return watchOf(this)?.connect(this) ?? real.connect.call(this as never)
}

function endWatched(this: object): Promise<unknown> {
  return watchOf(this)?.end(this) ?? real.end.call(this as never)
}
