// Torn writes: every object of a checkpoint is cut at every byte.

import {
  bytesOf,
  type Fixture,
  fixtureOf,
  type Outcome,
  restoreDamaged,
  type StoreKind,
} from './damaged-checkpoint.ts'
import type { Suite, Torture } from './torture.ts'

const KIB = 1_024
/** In CI one of them has to do. */
const PIPELINES = { ci: ['counted'], once: ['counted', 'joined'] } as const

interface Cut {
  readonly fixture: Fixture
  readonly object: string
  readonly length: number
}

export const torn: Torture = {
  name: 'torn',
  what: 'cuts each object of a checkpoint at every byte: the log, changelogs, snapshots',
  stores: ['memory', 'memory-objects'],
  counts: { ci: Number.POSITIVE_INFINITY, once: Number.POSITIVE_INFINITY },
  async open(store, where): Promise<Suite> {
    const bytes = where === 'ci' ? 8 * KIB : 64 * KIB
    const fixtures = await Promise.all(
      PIPELINES[where].map((name) => fixtureOf(name, bytes, store as StoreKind)),
    )
    const cutAt = cutsOf(fixtures)
    return {
      cases: fixtures.reduce((n, fixture) => n + bytesOf(fixture.objects), 0),
      run: (seed) => restoreCut(cutAt(seed - 1)),
      close: () => Promise.resolve(),
    }
  },
}

/** Numbers the cuts of all fixtures. */
function cutsOf(fixtures: readonly Fixture[]): (index: number) => Cut {
  return (index) => {
    let rest = index
    for (const fixture of fixtures) {
      for (const [object, bytes] of fixture.objects) {
        if (rest < bytes.length) return { fixture, object, length: rest }
        rest -= bytes.length
      }
    }
    throw new Error(`There is no cut ${index}`)
  }
}

async function restoreCut({ fixture, object, length }: Cut): Promise<Outcome> {
  const bytes = (fixture.objects.get(object) ?? Buffer.alloc(0)).subarray(0, length)
  const asOf = fixture.lengths.get(object)?.get(length)
  try {
    return await restoreDamaged(fixture, { object, bytes, ...(asOf === undefined ? {} : { asOf }) })
  } catch (cause) {
    const what = `"${object}" of pipeline "${fixture.name}", cut at byte ${length}`
    throw new Error(what, { cause })
  }
}
