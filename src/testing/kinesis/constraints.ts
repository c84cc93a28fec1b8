// The checks that the service makes of every request before it looks at any stream: types, lengths,
// ranges, patterns. The messages are the service's.

import { invalid, ServiceFault } from './service-fault.ts'

interface Bounds {
  readonly required?: true
  /** Least value, or length. */
  readonly min?: number
  /** Greatest value, or length. */
  readonly max?: number
}

/** The least and the greatest length of a text. */
export type Lengths = readonly [min: number, max: number]

/** What a member of a request may be. */
export type Constraint =
  | (Bounds & {
      readonly type: 'String'
      readonly pattern?: string
      readonly values?: readonly string[]
    })
  | (Bounds & { readonly type: 'Integer' | 'Blob' | 'Timestamp' | 'Boolean' })
  | (Bounds & { readonly type: 'Map'; readonly keys: Lengths; readonly values: Lengths })
  | (Bounds & { readonly type: 'List'; readonly member: Constraint })
  | (Bounds & { readonly type: 'Structure'; readonly members: Constraints })

/** The members of a request or of a structure. */
export type Constraints = Readonly<Record<string, Constraint>>

const FAULTS_MAX = 10

/** Throws a SerializationException if a member has the wrong type, and a ValidationException that
 * names each member out of bounds. */
export function checkInput(input: Readonly<Record<string, unknown>>, members: Constraints): void {
  const faults: string[] = []
  checkMembers(input, members, '', faults)
  if (faults.length === 0) return
  const shown = faults.slice(0, FAULTS_MAX)
  const plural = shown.length === 1 ? '' : 's'
  throw invalid(`${shown.length} validation error${plural} detected: ${shown.join('; ')}`)
}

function checkMembers(
  input: Readonly<Record<string, unknown>>,
  members: Constraints,
  path: string,
  faults: string[],
): void {
  for (const name in members) {
    checkMember(input[name], members[name] as Constraint, path, name, faults)
  }
}

function checkMember(
  value: unknown,
  constraint: Constraint,
  path: string,
  name: string,
  faults: string[],
): void {
  if (value === undefined || value === null) {
    if (constraint.required) {
      faults.push(faultOf('null', path, name, 'Member must not be null'))
    }
    return
  }
  if (!hasType(value, constraint.type)) throw wrongType(value, constraint.type)
  const rule = brokenRule(value, constraint)
  if (rule !== undefined) faults.push(faultOf(`'${shown(value)}'`, path, name, rule))
  if (constraint.type === 'List') {
    const items = value as readonly unknown[]
    for (let i = 0; i < items.length; i++) {
      const at = `${path}${lowerFirst(name)}.${i + 1}.`
      checkMember(items[i], constraint.member, at, 'member', faults)
    }
  }
  if (constraint.type === 'Structure') {
    const at = name === 'member' ? `${path}member.` : `${path}${lowerFirst(name)}.`
    checkMembers(value as Record<string, unknown>, constraint.members, at, faults)
  }
}

function faultOf(value: string, path: string, name: string, rule: string): string {
  return `Value ${value} at '${path}${lowerFirst(name)}' failed to satisfy constraint: ${rule}`
}

function hasType(value: unknown, type: Constraint['type']): boolean {
  switch (type) {
    case 'String':
      return typeof value === 'string'
    case 'Integer':
      return typeof value === 'number'
    case 'Boolean':
      return typeof value === 'boolean'
    case 'Blob':
      return value instanceof Uint8Array
    case 'Timestamp':
      return value instanceof Date
    case 'List':
      return Array.isArray(value)
    case 'Map':
    case 'Structure':
      return typeof value === 'object' && !Array.isArray(value)
  }
}

function wrongType(value: unknown, type: Constraint['type']): ServiceFault {
  return new ServiceFault('SerializationException', wrongTypeMessage(value, type))
}

function wrongTypeMessage(value: unknown, type: Constraint['type']): string {
  if (Array.isArray(value)) return 'Start of list found where not expected'
  if (typeof value === 'object') return 'Start of structure or map found where not expected.'
  if (type === 'List') return 'Expected list or null'
  if (type === 'Map') return 'Expected map or null'
  if (type === 'Structure') return 'Expected null'
  const words = { Timestamp: 'milliseconds since epoch', Blob: 'a Blob' } as Record<string, string>
  const wanted = words[type] ?? `an ${type}`
  const java = { boolean: 'java.lang.Boolean', string: 'java.lang.String' } as Record<
    string,
    string
  >
  const given = java[typeof value] ?? 'com.amazon.coral.value.json.numbers.TruncatingBigNumber'
  return `class ${given} can not be converted to ${wanted}`
}

const PATTERNS = new Map<string, RegExp>()

function matches(text: string, pattern: string): boolean {
  let compiled = PATTERNS.get(pattern)
  if (compiled === undefined) {
    compiled = new RegExp(`^(?:${pattern})$`)
    PATTERNS.set(pattern, compiled)
  }
  return compiled.test(text)
}

function brokenRule(value: unknown, constraint: Constraint): string | undefined {
  const { min = -Infinity, max = Number.POSITIVE_INFINITY } = constraint
  if (constraint.type === 'Integer') {
    if ((value as number) < min) return `Member must have value greater than or equal to ${min}`
    if ((value as number) > max) return `Member must have value less than or equal to ${max}`
    return undefined
  }
  if (constraint.type === 'String') {
    const { pattern, values } = constraint
    if (pattern !== undefined && !matches(value as string, pattern)) {
      return `Member must satisfy regular expression pattern: ${pattern}`
    }
    if (values?.includes(value as string) === false) {
      return `Member must satisfy enum value set: [${values.join(', ')}]`
    }
  }
  if (constraint.type === 'Map') {
    const { keys, values } = constraint
    const entries = Object.entries(value as Record<string, string>)
    if (!entries.every(([key]) => isWithin(key, keys))) return brokenLengths('keys', keys)
    if (!entries.every(([, one]) => isWithin(one, values))) return brokenLengths('value', values)
  }
  const length = lengthOf(value)
  if (length < min) return `Member must have length greater than or equal to ${min}`
  if (length > max) return `Member must have length less than or equal to ${max}`
  return undefined
}

function isWithin({ length }: string, [min, max]: Lengths): boolean {
  return length >= min && length <= max
}

function brokenLengths(what: string, [min, max]: Lengths): string {
  return (
    `Map ${what} must satisfy constraint: [Member must have length less than or equal to ${max}, ` +
    `Member must have length greater than or equal to ${min}]`
  )
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string' || Array.isArray(value)) return value.length
  if (value instanceof Uint8Array) return value.length
  return typeof value === 'object' && value !== null ? Object.keys(value).length : 0
}

function shown(value: unknown): string {
  if (value instanceof Uint8Array) {
    return `java.nio.HeapByteBuffer[pos=0 lim=${value.length} cap=${value.length}]`
  }
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
