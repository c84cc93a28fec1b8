// Lets go of a slot that was won and of which nothing came.

import { encodeRecord, frameOf, slotName } from './format.ts'
import type { CheckpointStore } from './store.ts'
import type { Taken, TakeoverOptions } from './takeover.ts'

/** Lets go of a checkpoint after a start that failed: the next start need not wait for this one. */
export async function giveUp(
  { store, clock, logger }: Pick<TakeoverOptions, 'store' | 'clock' | 'logger'>,
  taken: Taken | undefined,
): Promise<void> {
  try {
    if (taken !== undefined) await release(store, taken, clock.wallMs())
    await store.close()
  } catch (error) {
    logger.warn({ err: error }, 'Cannot release the checkpoint: the next start may have to wait')
  }
}

/** Says in the log that nobody holds it, unless there is more in it than the claim. */
async function release(
  store: CheckpointStore,
  { slot, claim, bytes }: Taken,
  at: number,
): Promise<void> {
  const present = await store.read(slotName(slot))
  if (present?.length !== bytes.length) return
  const closed = encodeRecord({ kind: 'closed', at })
  if (store.appends) {
    const place = { slot, offset: bytes.length }
    await store.append(slotName(slot), frameOf(closed, place, bytes.length))
    await store.sync(slotName(slot))
    return
  }
  const head = frameOf(encodeRecord({ kind: 'claim', ...claim }), { slot: slot + 1, offset: 0 }, 0)
  const place = { slot: slot + 1, offset: head.length }
  const frame = frameOf(closed, place, place.offset)
  await store.createIfAbsent(slotName(slot + 1), Buffer.concat([head, frame]))
}
