/** A record as one line of JSON: undefined is null, a bigint its digits as text, a Map or Set the
 * array of what it holds. */
export function jsonLine(record: unknown): string {
  return JSON.stringify(record, plain) ?? 'null'
}

/** A record as people read it: a text as it is, anything else as JSON. */
export function textOf(record: unknown): string {
  if (typeof record === 'string') return record
  return typeof record === 'bigint'
    ? String(record)
    : (JSON.stringify(record, plain) ?? String(record))
}

// JSON knows neither, and would throw for the first and leave out what the others hold.
function plain(_name: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Map || value instanceof Set ? [...value] : value
}
