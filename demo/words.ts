const WORD = /[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*/gu

/** Gives the words of a text in lower case; "don’t" is one word. The pipeline and the check
 * share it. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().replaceAll('’', "'").match(WORD) ?? []
}

/** Adds each word of a text to a tally and gives how many there were. */
export function tallyWords(tally: Map<string, number>, text: string): number {
  const words = wordsOf(text)
  for (const word of words) tally.set(word, (tally.get(word) ?? 0) + 1)
  return words.length
}
