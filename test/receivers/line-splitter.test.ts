import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Lines } from '../../src/batch/lines.ts'
import { LineSplitter } from '../../src/receivers/line-splitter.ts'

/** The lines of `pieces`, the last one without an end too, and how many were too long. */
function split(pieces: readonly Uint8Array[], lineBytesMax = 1_000) {
  let long = 0
  const splitter = new LineSplitter(lineBytesMax, () => {
    long += 1
  })
  const runs = [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()]
  for (const { bytes, starts } of runs) {
    const lines = new Lines(bytes)
    expect(Array.from(starts)).toEqual(
      Array.from({ length: lines.length + 1 }, (_, i) => lines.startOf(i)),
    )
  }
  const lines = runs.flatMap(({ bytes }) => {
    const all = new Lines(bytes)
    return Array.from({ length: all.length }, (_, i) => all.at(i))
  })
  return { lines, long, kept: splitter.keptBytes }
}

/** Cuts `bytes` at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b)
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '\r', '\n', '\n', 'ü', '😀'),
  maxLength: 60,
})
const places = fc.array(fc.nat(200), { maxLength: 8 })

test('LineSplitter gives the same lines wherever the bytes are cut', () => {
  fc.assert(
    fc.property(text, places, (content, at) => {
      const bytes = Buffer.from(content)
      const lines = content.split('\n').map((line) => line.replace(/\r$/, ''))
      if (content === '' || content.endsWith('\n')) lines.pop()
      expect(split(cut(bytes, at))).toEqual({ lines, long: 0, kept: 0 })
    }),
  )
})

test('LineSplitter leaves out lines that are too long, wherever the bytes are cut', () => {
  fc.assert(
    fc.property(text, places, fc.integer({ min: 1, max: 12 }), (content, at, lineBytesMax) => {
      const whole = split([Buffer.from(content)]).lines
      const kept = whole.filter((line) => Buffer.byteLength(line) <= lineBytesMax)
      const { lines, long } = split(cut(Buffer.from(content), at), lineBytesMax)
      expect(lines).toEqual(kept)
      expect(long).toBe(whole.length - kept.length)
    }),
  )
})

test('LineSplitter keeps no more than the longest line may have', () => {
  const splitter = new LineSplitter(10, () => undefined)
  for (let i = 0; i < 100; i++) {
    splitter.push(Buffer.from('xxx'))
    expect(splitter.keptBytes).toBeLessThanOrEqual(11)
  }
  expect(splitter.push(Buffer.from('x\nshort\n'))).toHaveLength(1)
})
