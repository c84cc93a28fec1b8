// All tortures, by name.

import { commands } from './commands.ts'
import { flips } from './flips.ts'
import { torn } from './torn.ts'
import type { Torture } from './torture.ts'

export const TORTURES: readonly Torture[] = [torn, flips, ...commands]
