// All tortures, by name.

import { clock } from './clock.ts'
import { commands } from './commands.ts'
import { crashPoints } from './crash-points.ts'
import { differential } from './differential.ts'
import { disk } from './disk.ts'
import { faults } from './faults.ts'
import { flips } from './flips.ts'
import { kill } from './kill.ts'
import { mutants } from './mutants.ts'
import { reshard } from './reshard.ts'
import { sim } from './sim.ts'
import { torn } from './torn.ts'
import type { Torture } from './torture.ts'
import { zombie } from './zombie.ts'

export const TORTURES: readonly Torture[] = [
  torn,
  flips,
  differential,
  crashPoints,
  disk,
  clock,
  sim,
  faults,
  mutants,
  zombie,
  kill,
  reshard,
  ...commands,
]
