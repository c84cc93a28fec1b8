// The servers that integration tests need, and how each is installed.

import { leaveOut } from '../left-out.ts'

const SERVERS = {
  kinesalite: { module: 'kinesalite', install: 'npm install --no-save kinesalite@3.3.3' },
} as const satisfies Record<string, { readonly module: string; readonly install: string }>

/** Tells whether a server can be started. Where it cannot, the tests that need it are listed as
 * left out; where MILLRACE_CI is set, it throws. */
export async function requireServer(name: keyof typeof SERVERS): Promise<boolean> {
  const { module, install } = SERVERS[name]
  try {
    await import(module)
    return true
  } catch {
    leaveOut(`tests that need ${name}`, install)
    return false
  }
}
