// The end of a run: what it holds open is closed, whatever fails or hangs.

import type { Lease } from '../checkpoint/lease.ts'
import type { BatchLog } from '../checkpoint/log.ts'
import type { Logger } from '../events.ts'
import type { Executor } from '../workers/executor.ts'
import type { EndAtOnce } from './end-at-once.ts'
import type { Threads } from './execution.ts'
import type { OpenOutput } from './outputs.ts'
import type { Receivers } from './receivers.ts'
import type { Snapshots } from './snapshots.ts'

/** What a run holds open. */
export interface HeldParts {
  readonly receivers: Receivers
  readonly outputs: readonly OpenOutput[]
  readonly snapshots: Snapshots | undefined
  readonly executor: Executor
  readonly threads: Threads | undefined
  readonly lease: Lease | undefined
  readonly log: BatchLog | undefined
  readonly logger: Logger
}

/** Closes all of it, the log last: it says that nobody holds the checkpoint. What its user wrote is
 * left behind where it does not end and the run is to end at once. Rejects with the first failure
 * when all have been tried. */
export async function closeAll(held: HeldParts, atOnce: EndAtOnce): Promise<void> {
  const { receivers, outputs, snapshots, executor, threads, lease, log, logger } = held
  const failures: unknown[] = []
  const tried = <R>(closing: Promise<R> | undefined): Promise<R | undefined> | undefined =>
    closing?.catch((error: unknown) => {
      failures.push(error)
      return undefined
    })
  const inTime = async (what: string, closing: Promise<void> | undefined): Promise<void> => {
    const isOver = await tried(closing && atOnce.waitFor(closing))
    if (isOver === false) logger.warn({}, `The run ends at once, and leaves ${what} behind`)
  }
  await Promise.all([
    inTime('a receiver that does not stop', receivers.stop()),
    inTime('a snapshot that does not end', snapshots?.close()),
    ...outputs.map(({ writer }) => inTime('a sink that does not close', writer.close())),
  ])
  await inTime('what its tasks write to', executor.close())
  if (threads?.shared === false) await tried(threads.pool.close())
  await tried(receivers.close())
  await tried(lease?.stop())
  await tried(log?.close())
  if (failures.length > 0) throw failures[0]
}
