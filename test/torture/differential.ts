// The simulator against the other Kinesis servers: one case is one sequence of calls.

import { RULES } from '../integration/differential/rules.ts'
import { DifferentialSuite } from '../integration/differential/suite.ts'
import { installedServers } from '../integration/servers.ts'
import type { Suite, Torture } from './torture.ts'

const RARE_FROM_CASES = 1_000

export const differential: Torture = {
  name: 'differential',
  what: 'The same random calls to the simulator and to other Kinesis servers',
  stores: ['all'],
  counts: { ci: 60, once: 2_000 },
  open: openSuite,
}

async function openSuite(): Promise<Suite> {
  const servers = installedServers().filter(({ name }) => name !== 'the simulator')
  const suite = await DifferentialSuite.open(servers)
  let cases = 0
  return {
    async run(seed) {
      cases += 1
      const unknown = await suite.run(seed)
      if (unknown.length > 0) throw new Error(unknown.join('\n'))
      return 'sequence'
    },
    async close() {
      await suite.close()
      const never = neverMet(suite, new Set(servers.map(({ name }) => name)))
      if (cases >= RARE_FROM_CASES && never.length > 0) {
        throw new Error(`These differences are listed and were not met:\n${never.join('\n')}`)
      }
    },
  }
}

/** What is listed of servers that took part, and did not show. */
function neverMet(suite: DifferentialSuite, names: ReadonlySet<string>): string[] {
  return RULES.flatMap((rule) =>
    rule.servers
      .filter((name) => names.has(name) && suite.met.get(rule)?.has(name) !== true)
      .map((name) => `${name}: ${rule.what}`),
  )
}
