// Values in the text form of COPY: a row a line, tabs between columns, \N for NULL.

/** What the form of a column's values depends on. Structured-cloneable. */
export interface ColumnForm {
  readonly name: string
  /** Of json, jsonb or an array of one: each value is written as JSON. */
  readonly json: boolean
  /** What stands between the elements of an array; undefined where the column is none. */
  readonly delimiter: string | undefined
}

const NULL = '\\N'
const TO_ESCAPE = /[\\\t\n\r]/
const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
}

/** A value as a field of a line. Throws TypeError for what the column cannot take. */
export function copyField(value: unknown, column: ColumnForm): string {
  if (value === null || value === undefined) return NULL
  const text = column.delimiter === undefined ? textOf(value, column.json) : arrayOf(value, column)
  return TO_ESCAPE.test(text) ? text.replace(/[\\\t\n\r]/g, (c) => ESCAPES[c] ?? c) : text
}

function textOf(value: unknown, json: boolean): string {
  if (json) return jsonOf(value)
  switch (typeof value) {
    case 'string':
      return wellFormed(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      return String(value)
    case 'boolean':
      return value ? 't' : 'f'
    case 'object':
      if (value instanceof Date) return timestampOf(value)
      if (value instanceof Uint8Array) {
        return `\\x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
      }
      throw new TypeError(
        `an object goes into a column of type json or jsonb only: give a text, a number, a ` +
          `boolean, a Date, or bytes`,
      )
    default:
      throw new TypeError(`a ${typeof value} is no value of a column`)
  }
}

/** UTF-8 has no half of a surrogate pair: what would be stored is another text. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text
  throw new TypeError('a text with half a surrogate pair cannot be stored; use toWellFormed()')
}

function jsonOf(value: unknown): string {
  const text = JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner === 'bigint') return String(inner)
    return inner instanceof Map || inner instanceof Set ? [...inner] : inner
  }) as string | undefined
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be written as JSON`)
  return text
}

function arrayOf(value: unknown, column: ColumnForm): string {
  const elements = listOf(value)
  if (elements === undefined) throw new TypeError('the column is an array: give one')
  const inner = elements.map((element) => {
    if (element === null || element === undefined) return 'NULL'
    if (!column.json && listOf(element) !== undefined) return arrayOf(element, column)
    return `"${textOf(element, column.json).replace(/["\\]/g, String.raw`\$&`)}"`
  })
  return `{${inner.join(column.delimiter)}}`
}

/** The elements of an array; bytes are none. */
function listOf(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[]
  if (!ArrayBuffer.isView(value) || value instanceof Uint8Array || value instanceof DataView) {
    return undefined
  }
  return Array.from(value as unknown as ArrayLike<unknown>)
}

/** PostgreSQL writes years beyond four digits without a sign, and counts those before 1 as BC. */
function timestampOf(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError('a Date is not valid')
  const year = date.getUTCFullYear()
  const rest = date.toISOString().replace(/^[+-]?\d+/, '')
  const digits = String(year > 0 ? year : 1 - year).padStart(4, '0')
  return `${digits}${rest}${year > 0 ? '' : ' BC'}`
}
