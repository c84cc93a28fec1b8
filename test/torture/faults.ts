// A service that fails: half of the calls of the Kinesis receiver are refused, cut off, late, or
// answered with nothing, on virtual time. The count is of faulted calls.

import type { CaseReport } from './faults/faulted-case.ts'
import { FaultedCase } from './faults/faulted-case.ts'
import type { Suite, Torture } from './torture.ts'

/** Faulted calls of a case. A case is known by the seed of its first one, and runs whole. */
const FAULTED = 2_000

export const faults: Torture = {
  name: 'faults',
  what: 'faults calls of the Kinesis receiver: refused, cut off, late, lost, empty (the count)',
  stores: ['simulator'],
  counts: { ci: 20_000, once: 1_000_000 },
  open: (): Promise<Suite> => {
    const seen = new Set<string>()
    return Promise.resolve({
      chunk: FAULTED,
      run: async (seed) => {
        const report = await new FaultedCase(seed).run(FAULTED)
        for (const what of report.seen.keys()) seen.add(what)
        return wordFor(report)
      },
      close: () => {
        if (seen.size > 0) checkSeen(seen)
        return Promise.resolve()
      },
    })
  },
}

const KINDS = ['error', 'throttle', 'cut-before', 'cut-after', 'slow', 'empty']

/** What must have happened to reads in any run. */
function checkSeen(seen: ReadonlySet<string>): void {
  const missing = KINDS.filter((kind) => !seen.has(`GetRecords ${kind}`))
  if (missing.length > 0) throw new Error(`No read was faulted with ${missing.join(', ')}`)
}

function wordFor({ reshards, restarts }: CaseReport): string {
  const words = [reshards > 0 && 'resharded', restarts > 0 && 'restarted'].filter(Boolean)
  return words.length === 0 ? 'read on' : words.join(' and ')
}
