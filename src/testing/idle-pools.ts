// Pools of workers that wait for their next use: starting threads costs more than most tests.

import { WorkerPool } from '../workers/worker-pool.ts'

const IDLE_MAX = 4
const idle: WorkerPool[] = []

/** Calls `use` with a pool of so many workers; nobody else has it meanwhile. Idle pools do not keep
 * the process alive; the four that were used last are kept. */
export async function withPool<R>(
  workers: number,
  use: (pool: WorkerPool) => Promise<R>,
): Promise<R> {
  const found = idle.findIndex((pool) => pool.size === workers)
  const pool = idle.splice(found, found < 0 ? 0 : 1)[0] ?? WorkerPool.start(workers)
  pool.keepAlive(true)
  try {
    return await use(pool)
  } finally {
    pool.keepAlive(false)
    idle.push(pool)
    if (idle.length > IDLE_MAX) void idle.shift()?.close()
  }
}
