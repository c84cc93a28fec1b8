// Every known difference between the simulator and the servers that it is compared with, who is
// right, and where AWS says so. A difference that no rule matches fails the suite.
// docs/kinesis-simulator-differences.md is written from these rules.

import { ANSWER_RULES } from './answer-rules.ts'
import type { Call } from './calls.ts'
import type { Difference } from './differences.ts'
import { ERROR_RULES } from './error-rules.ts'
import type { Rule, ServerName } from './rule.ts'
import { SHARD_RULES } from './shard-rules.ts'

/** The first that matches counts: what is special stands before what is general. */
export const RULES: readonly Rule[] = [...ANSWER_RULES, ...SHARD_RULES, ...ERROR_RULES]

/** Gives the first rule that matches. */
export function ruleFor(
  server: ServerName,
  difference: Difference,
  call: Call,
  before: readonly Call[],
): Rule | undefined {
  return RULES.find((rule) => {
    if (!rule.servers.includes(server)) return false
    if (rule.operations?.includes(call.operation) === false) return false
    const { path = /outcome/, ours = /.*/s, theirs = /.*/s } = rule
    return (
      isWhole(path, difference.path) &&
      isWhole(ours, difference.ours) &&
      isWhole(theirs, difference.theirs) &&
      (rule.when?.(call, before) ?? true)
    )
  })
}

function isWhole(pattern: RegExp, text: string): boolean {
  return pattern.exec(text)?.[0] === text
}
