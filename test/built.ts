// The compiled package in dist/, for the tests that look at it as its users get it.

import { existsSync } from 'node:fs'
import { leaveOut } from './left-out.ts'

/** Tells whether dist/ is there; where it is not, the tests that need it are listed as left out. */
export function requireBuilt(): boolean {
  const built = existsSync(new URL('../dist/index.js', import.meta.url))
  if (!built) leaveOut('tests that need the built package', 'npm run build')
  return built
}
