// The clock of the latency question: monotonic, and the same for all processes of the machine.

const NANOSECONDS_A_MICROSECOND = 1_000n

/** Microseconds since some time that all processes share. */
export function sharedMicroseconds(): number {
  return Number(process.hrtime.bigint() / NANOSECONDS_A_MICROSECOND)
}
