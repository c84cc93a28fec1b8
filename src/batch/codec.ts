// Turns values into bytes and back. Every byte format of millrace is MessagePack, written by
// msgpackr.
//
// What comes back is what went in, bit for bit: msgpackr alone would turn -0 into 0, a string with
// half a surrogate pair into another one, and an instance of a class into a plain object. The first
// two travel as extensions; the third is refused, since its methods would be lost after a restart.

import { addExtension, Packr } from 'msgpackr'
import { StreamingError } from '../errors.ts'

class NegativeZero {}
class IllFormedString {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const NEGATIVE_ZERO = new NegativeZero()

addExtension({
  Class: NegativeZero,
  type: 0x20,
  pack: () => Buffer.alloc(0),
  unpack: () => -0,
})
addExtension({
  Class: IllFormedString,
  type: 0x21,
  pack: (value: IllFormedString) => Buffer.from(value.text, 'utf16le'),
  unpack: (bytes: Uint8Array) => Buffer.from(bytes).toString('utf16le'),
})

const packr = new Packr({
  useRecords: true,
  mapsAsObjects: false,
  moreTypes: true,
  useBigIntExtension: true,
  copyBuffers: true,
})

const storable = new WeakSet<object>()
/** MessagePack's extension types up to 0x21 are taken above. */
const STORABLE_TYPES = 0x22

/** How the instances of a class are stored. */
export interface StorableClass<T, S> {
  /** From 0 to 9; each class has its own, for ever. */
  readonly id: number
  /** Gives what is stored of an instance: plain values. */
  pack(instance: T): S
  /** Makes an instance of it again. */
  unpack(stored: S): T
}

/** Lets the instances of one of millrace's own classes be stored, for example the records of a
 * source. Called by the module of the class. */
export function makeStorable<T extends object, S>(
  // biome-ignore lint/complexity/noBannedTypes: any constructor
  Class: Function & { readonly prototype: T },
  { id, pack, unpack }: StorableClass<T, S>,
): void {
  storable.add(Class.prototype)
  addExtension({
    Class,
    type: STORABLE_TYPES + id,
    write: (instance: T) => pack(instance),
    read: (stored: S) => unpack(stored),
  })
}

/** Encodes a value: primitives, arrays, plain objects, Map, Set, Date and typed arrays of these, at
 * any depth. Throws VALUE_NOT_STORABLE for anything else; `what` names the value in the message.
 *
 * @example
 * ```ts
 * assert.deepEqual(decode(encode({ n: -0, at: new Date(5) }, 'state')), { n: -0, at: new Date(5) })
 * ```
 */
export function encode(value: unknown, what: string): Uint8Array {
  return packr.pack(prepare(value, what, 0))
}

/** Decodes what `encode` gave. Each call makes fresh objects. */
export function decode(bytes: Uint8Array): unknown {
  return packr.unpack(bytes)
}

/** True for values that no closure can change in place. */
export function isPrimitive(value: unknown): boolean {
  return value === null || (typeof value !== 'object' && typeof value !== 'function')
}

const DEPTH_MAX = 1_000

/** Gives `value` itself, or a copy where something in it needs an extension. */
function prepare(value: unknown, what: string, depth: number): unknown {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? NEGATIVE_ZERO : value
    case 'string':
      return value.isWellFormed() ? value : new IllFormedString(value)
    case 'boolean':
    case 'bigint':
    case 'undefined':
      return value
    case 'object':
      return value === null ? null : prepareObject(value, what, depth)
    default:
      throw notStorable(`a ${typeof value}`, what)
  }
}

function prepareObject(value: object, what: string, depth: number): unknown {
  if (depth > DEPTH_MAX) throw notStorable('a cyclic or very deep object', what)
  if (Array.isArray(value)) return prepareArray(value, what, depth + 1)
  if (value instanceof Map) {
    const pairs = prepareArray([...value].flat(1) as unknown[], what, depth + 1)
    return new Map(pairs.flatMap((x, i) => (i % 2 === 0 ? [[x, pairs[i + 1]] as const] : [])))
  }
  if (value instanceof Set) return new Set(prepareArray([...value], what, depth + 1))
  if (value instanceof Date || ArrayBuffer.isView(value)) return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype === 'object' && prototype !== null && storable.has(prototype)) return value
  if (prototype !== Object.prototype && prototype !== null) {
    throw notStorable(`an instance of ${value.constructor?.name ?? 'a class'}`, what)
  }
  return preparePlain(value as Record<string, unknown>, what, depth + 1)
}

function prepareArray(values: readonly unknown[], what: string, depth: number): unknown[] {
  let copy: unknown[] | undefined
  for (let i = 0; i < values.length; i++) {
    const before = values[i]
    const after = prepare(before, what, depth)
    if (!Object.is(after, before)) {
      copy ??= values.slice()
      copy[i] = after
    }
  }
  return copy ?? (values as unknown[])
}

function preparePlain(value: Record<string, unknown>, what: string, depth: number): object {
  let copy: Record<string, unknown> | undefined
  for (const name of Object.keys(value)) {
    if (name === '__proto__') throw notStorable('an object with a "__proto__" property', what)
    const before = value[name]
    const after = prepare(before, what, depth)
    if (!Object.is(after, before)) {
      copy ??= { ...value }
      copy[name] = after
    }
  }
  return copy ?? value
}

function notStorable(found: string, what: string): StreamingError {
  return new StreamingError(
    'VALUE_NOT_STORABLE',
    `Cannot store ${what}: it holds ${found}; use primitives, arrays, plain objects, Map, Set, ` +
      `Date and typed arrays, and rebuild anything else from them`,
  )
}
