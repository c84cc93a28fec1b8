// Bit flips: one bit of one object of a checkpoint, anywhere.

import {
  bytesOf,
  type Fixture,
  fixtureWith,
  restoreDamaged,
  type StoreKind,
} from './damaged-checkpoint.ts'
import { pickFrom } from './picks.ts'
import type { Suite, Torture } from './torture.ts'
import type { WrittenName } from './written-pipelines.ts'

const RECORDS = 12
const PIPELINES: readonly WrittenName[] = ['counted', 'joined', 'stateless']

export const flips: Torture = {
  name: 'flips',
  what: 'flips a bit of a checkpoint, and starts from it',
  stores: ['memory', 'memory-objects'],
  counts: { ci: 1_000, once: 100_000 },
  async open(store): Promise<Suite> {
    const fixtures = await Promise.all(
      PIPELINES.map((name) => fixtureWith(name, RECORDS, store as StoreKind)),
    )
    return {
      run: (seed) => flip(fixtures[seed % fixtures.length] as Fixture, seed),
      close: () => Promise.resolve(),
    }
  },
}

async function flip(fixture: Fixture, seed: number): Promise<string> {
  const pick = pickFrom(seed)
  const objects = [...fixture.objects]
  let at = pick(bytesOf(fixture.objects))
  const found = objects.find(([, bytes]) => {
    if (at < bytes.length) return true
    at -= bytes.length
    return false
  })
  if (found === undefined) throw new Error('There is no byte to change')
  const [object, before] = found
  const bit = pick(8)
  const bytes = Buffer.from(before)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit)
  try {
    return await restoreDamaged(fixture, { object, bytes })
  } catch (cause) {
    const what = `bit ${bit} of byte ${at} of "${object}" of pipeline "${fixture.name}"`
    throw new Error(what, { cause })
  }
}
