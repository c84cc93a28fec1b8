// What foreachBatch sees stays in the thread of the driver.

import type { Batch } from 'millrace'

const seen: unknown[] = []

/** What foreachBatch saw since the last call, batches without records left out. */
export function takeSeen(): unknown[] {
  return seen.splice(0)
}

/** Sees a batch. */
export async function see(batch: Batch<unknown>): Promise<void> {
  const records = await batch.collect()
  if (records.length > 0) seen.push(records)
}
