// Torn writes: every object of a checkpoint is cut at every byte.

import {
  DamagedLogs,
  type Fixture,
  fixtureOf,
  type Outcome,
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
    const logs = new DamagedLogs()
    const cuts = fixtures.flatMap(cutsOf)
    return {
      cases: cuts.length,
      run: (seed) => restoreCut(logs, cuts[seed - 1] as Cut),
      close: () => Promise.resolve(),
    }
  },
}

function cutsOf(fixture: Fixture): Cut[] {
  return [...fixture.objects].flatMap(([object, bytes]) =>
    Array.from({ length: bytes.length }, (_, length) => ({ fixture, object, length })),
  )
}

async function restoreCut(logs: DamagedLogs, { fixture, object, length }: Cut): Promise<Outcome> {
  const bytes = (fixture.objects.get(object) ?? Buffer.alloc(0)).subarray(0, length)
  const asOf = fixture.lengths.get(object)?.get(length)
  try {
    return await logs.restore(fixture, { object, bytes, ...(asOf === undefined ? {} : { asOf }) })
  } catch (cause) {
    const what = `"${object}" of pipeline "${fixture.name}", cut at byte ${length}`
    throw new Error(what, { cause })
  }
}
