/** What stands in the first element of the shared memory of busy loops: they sleep. */
export const ASLEEP = 0

/** They spin. */
export const AWAKE = 1
