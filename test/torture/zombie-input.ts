/** The input of the processes of `zombie`: more batches than they run. */
export const ZOMBIE_INPUT = { batches: 2_000, records: 6 }

export const ZOMBIE_INTERVAL_MS = 40
