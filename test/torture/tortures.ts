// All tortures, by name.

import { clock } from './clock.ts'
import { commands } from './commands.ts'
import { crashPoints } from './crash-points.ts'
import { differential } from './differential.ts'
import { disk } from './disk.ts'
import { flips } from './flips.ts'
import { torn } from './torn.ts'
import type { Torture } from './torture.ts'

export const TORTURES: readonly Torture[] = [
  torn,
  flips,
  differential,
  crashPoints,
  disk,
  clock,
  ...commands,
]
