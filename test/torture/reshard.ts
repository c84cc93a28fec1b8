// Shards that split and merge under load, on the Kinesis simulator and a virtual clock: two streams
// in one pipeline of windows, state and joins, and an engine that is killed at any await point,
// once for every ten reshards. A seed is a reshard; ten in a row are a world of their own.

import { Coverage } from './reshard/coverage.ts'
import { World } from './reshard/world.ts'
import type { Suite, Torture } from './torture.ts'

/** Reshards of one world, which has one kill. */
const EVENTS_OF_WORLD = 10
/** A run so long must come to everything. */
const EVENTS_COVER = 500

export const reshard: Torture = {
  name: 'reshard',
  what: 'splits, merges and scales two streams under load, with a kill for every ten reshards',
  stores: ['memory'],
  counts: { ci: 20, once: 500 },
  open: (): Promise<Suite> => {
    const coverage = new Coverage()
    let events = 0
    return Promise.resolve({
      chunk: EVENTS_OF_WORLD,
      run: async (seed, count) => {
        events += count
        try {
          return await new World(seed, count, coverage).run()
        } catch (cause) {
          throw new Error(`Repeat it with --seed ${seed} --count ${count}`, { cause })
        }
      },
      close: async () => {
        if (events >= EVENTS_COVER) coverage.check()
      },
    })
  },
}
