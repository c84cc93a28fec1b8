// What the service allows a reader of a shard, for both sides.

const POLL_INTERVAL_MS = 200
const SHARD_BYTES_PER_MS = (2 * 1_048_576) / 1_000

/** When the next read of a shard may be made after one that was called and answered at these times
 * and gave so many bytes. */
export function dueAt(calledAt: number, answeredAt: number, bytes: number): number {
  return Math.max(calledAt + POLL_INTERVAL_MS, answeredAt + bytes / SHARD_BYTES_PER_MS)
}
