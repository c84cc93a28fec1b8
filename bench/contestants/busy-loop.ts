// A thread that spins while it is told to, and sleeps otherwise.

import { workerData } from 'node:worker_threads'
import { ASLEEP } from './busy-loop-state.ts'

const state = new Int32Array(workerData as SharedArrayBuffer)

for (let spins = 0; ; spins++) {
  // Looking seldom leaves the memory alone.
  if (spins % 1_000 === 0 && Atomics.load(state, 0) === ASLEEP) Atomics.wait(state, 0, ASLEEP)
}
