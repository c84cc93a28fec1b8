// Connections to the server: made when one is needed, at most so many, and made again when lost.

import type { Pool, PoolClient } from 'pg'
import { sleep, systemClock } from '../../clock.ts'
import { ConfigError, codeOf } from '../../errors.ts'
import { isPassing } from './failures.ts'
import type { PostgresSettings } from './options.ts'

/** How often something is tried in all while the connection is lost. */
const TRIES_MAX = 8
const PAUSE_MS = 100
const CONNECT_MS = 10_000
const IDLE_MS = 10_000
const KEEP_ALIVE_MS = 10_000

/** A bounded number of connections. */
export class Connections {
  readonly #pool: Pool
  readonly #closed = new AbortController()

  private constructor(pool: Pool) {
    this.#pool = pool
    // A connection that is lost while nobody uses it is made anew when one is needed.
    pool.on('error', () => undefined)
  }

  /** Opens none yet. Rejects with ConfigError if the client is not installed. */
  static async open<T>(
    { connection, connectionsMax, table }: PostgresSettings<T>,
    name: string,
  ): Promise<Connections> {
    const { default: pg } = await importClient(() => import('pg'), table)
    const where = typeof connection === 'string' ? { connectionString: connection } : connection
    const pool = new pg.Pool({
      application_name: name,
      ...(where as object),
      max: connectionsMax,
      connectionTimeoutMillis: CONNECT_MS,
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      allowExitOnIdle: true,
    })
    return new Connections(pool)
  }

  /** Calls `use` with a connection, and again with another where it was lost, up to 8 times in
   * about 13 seconds; `retried` is told of each failure that is made up for. `use` finds out what
   * an earlier call of it has done. */
  async use<R>(
    use: (client: PoolClient) => Promise<R>,
    retried: (error: unknown) => void,
  ): Promise<R> {
    for (let n = 1; ; n++) {
      try {
        return await this.#useOnce(use)
      } catch (error) {
        if (n >= TRIES_MAX || !isPassing(error) || this.#closed.signal.aborted) throw error
        retried(error)
        await sleep(systemClock, PAUSE_MS * 2 ** (n - 1), this.#closed.signal)
      }
    }
  }

  /** As `use`, in a transaction. Locks are waited for, and a connection that does nothing is ended
   * by the server, within bounds. */
  transaction<R>(
    use: (client: PoolClient) => Promise<R>,
    retried: (error: unknown) => void,
    lockWaitS = LOCK_WAIT_S,
  ): Promise<R> {
    return this.use(async (client) => {
      await client.query(beginWith(lockWaitS))
      try {
        const result = await use(client)
        await client.query('COMMIT')
        return result
      } catch (error) {
        // Fails where the connection is lost, and the server rolls back by itself.
        await client.query('ROLLBACK').catch(() => undefined)
        throw error
      }
    }, retried)
  }

  async close(): Promise<void> {
    this.#closed.abort()
    await this.#pool.end()
  }

  async #useOnce<R>(use: (client: PoolClient) => Promise<R>): Promise<R> {
    const client = await this.#pool.connect()
    // Whatever failed: the connection may be in the midst of something, such as a transaction.
    let isBroken = false
    const onLost = (): void => {
      isBroken = true
    }
    client.on('error', onLost)
    try {
      return await use(client)
    } catch (error) {
      isBroken = true
      throw error
    } finally {
      client.off('error', onLost)
      client.release(isBroken)
    }
  }
}

const LOCK_WAIT_S = 30
const IDLE_IN_TRANSACTION_S = 10

function beginWith(lockWaitS: number): string {
  return (
    `BEGIN; SET LOCAL lock_timeout = '${lockWaitS}s'; ` +
    `SET LOCAL idle_in_transaction_session_timeout = '${IDLE_IN_TRANSACTION_S}s'`
  )
}

/** Imports a client that is an optional dependency. */
export async function importClient<M>(load: () => Promise<M>, table: string): Promise<M> {
  try {
    return await load()
  } catch (cause) {
    if (codeOf(cause) !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new ConfigError(
      `Cannot write to PostgreSQL table "${table}": the client is not installed; run ` +
        `\`npm install pg pg-copy-streams\``,
      { cause },
    )
  }
}
