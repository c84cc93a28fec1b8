// Simulations: one thread, a virtual clock, and a disk, a network, a source, sinks and driver
// processes that do from a seed what real ones may do, all at once and in any order.

import type { Kind } from './sim/fleet.ts'
import { simulate } from './sim/simulation.ts'
import type { Suite, Torture } from './torture.ts'

export const sim: Torture = {
  name: 'sim',
  what: 'simulates disk, network, source, sinks and drivers in one thread, 20 faults a seed',
  stores: ['local', 's3'],
  counts: { ci: 200, once: 3_000 },
  open: (store): Promise<Suite> =>
    Promise.resolve({
      async run(seed) {
        const { name } = await simulate(seed, store as Kind)
        return name
      },
      close: () => Promise.resolve(),
    }),
}
