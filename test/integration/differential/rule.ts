// What is known of a class of differences.

import type { Call } from './calls.ts'

/** The servers that the simulator is compared with. */
export type ServerName = 'kinesalite' | 'kinesis-local' | 'moto'

/** One class of differences. */
export interface Rule {
  readonly servers: readonly ServerName[]
  /** By their names; all without. */
  readonly operations?: readonly string[]
  /** What the servers do, in one sentence. */
  readonly what: string
  /** Who keeps to what AWS documents; 'open' where AWS says nothing, or leaves it free. */
  readonly right: 'simulator' | 'open'
  /** The page of AWS's documentation, below docs.aws.amazon.com. */
  readonly page: string
  /** Of the difference: patterns of its whole texts. `path` is `outcome` without one. */
  readonly path?: RegExp
  readonly ours?: RegExp
  readonly theirs?: RegExp
  /** What must hold of the call, and of those before it. */
  readonly when?: (call: Call, before: readonly Call[]) => boolean
}
