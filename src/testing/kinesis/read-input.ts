// What stood in the body of a request as the service takes it: bytes for blobs, dates for times,
// nothing for null and for what the operation does not know.

import type { Constraint, Constraints } from './constraints.ts'
import type { Input } from './operation.ts'

/** How one format writes what JSON has no word for. What is not it stays as it is: the service
 * says what is wrong with it. */
export interface Scalars {
  blob(value: unknown): unknown
  timestamp(value: unknown): unknown
}

/** Gives the input of an operation with these members. */
export function readInput(body: Input, members: Constraints, scalars: Scalars): Input {
  const input: Record<string, unknown> = {}
  for (const name in members) {
    const value = body[name]
    if (value === null || value === undefined) continue
    input[name] = readValue(value, members[name] as Constraint, scalars)
  }
  return input
}

function readValue(value: unknown, constraint: Constraint, scalars: Scalars): unknown {
  switch (constraint.type) {
    case 'Blob':
      return scalars.blob(value)
    case 'Timestamp':
      return scalars.timestamp(value)
    case 'Integer':
      // As the service: a fraction is cut off.
      return typeof value === 'number' ? Math.trunc(value) : value
    case 'Structure':
      return isObject(value) ? readInput(value, constraint.members, scalars) : value
    case 'List':
      if (!Array.isArray(value)) return value
      return value.map((one: unknown) => one && readValue(one, constraint.member, scalars))
    default:
      return value
  }
}

/** True for what JSON writes in braces. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
