// What the terminal shows, as pure functions from figures to lines.

import { styleText } from 'node:util'
import type { Count } from './output-files.ts'

/** The figures of one moment. */
export interface View {
  /** What the demo does at the moment, in a few words. */
  readonly status: string
  readonly batchId: number | undefined
  readonly recordsPerSecond: number
  /** Age of the oldest record that was sent and is not in the output yet. */
  readonly lagMs: number
  readonly schedulingDelayMs: number
  readonly processingDelayMs: number
  readonly wordsSent: number
  readonly wordsCounted: number
  /** Who speaks, and when. */
  readonly speaker: string
  readonly kills: number
  readonly killsPlanned: number
  readonly top: readonly Count[]
}

type Style = Parameters<typeof styleText>[0]
type Segment = readonly [text: string, style?: Style]

const WORD_COLUMNS = 14
const COUNT_COLUMNS = 9
const BAR_COLUMNS_MAX = 48
const LINES_AROUND_TOP = 7
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** The lines of the picture, fitted into a terminal of the given size. */
export function frameOf(view: View, columns: number, rows: number): string[] {
  const top = view.top.slice(0, Math.max(0, rows - LINES_AROUND_TOP - 1))
  const lines: Segment[][] = [
    [],
    [[' millrace ', ['bold', 'inverse']], ['  words of the last 30 s, every second']],
    [],
    figures(view),
    progress(view),
    [],
    ...top.map((count) => bar(count, top[0]?.[1] ?? 1, columns)),
    [[` ${view.status}`, 'dim']],
  ]
  return lines.map((line) => paint(line, columns - 1))
}

/** One line for an output that is no terminal. */
export function plainLine(view: View): string {
  const top = view.top.slice(0, 3).map(([word, count]) => `${word} ${grouped(count)}`)
  const kills = view.killsPlanned > 0 ? [`kills ${view.kills} of ${view.killsPlanned}`] : []
  return [
    `batch ${view.batchId ?? '–'}`,
    `${grouped(view.recordsPerSecond)} records/s`,
    `lag ${seconds(view.lagMs)}`,
    `scheduling ${ms(view.schedulingDelayMs)}`,
    `processing ${ms(view.processingDelayMs)}`,
    `sent ${grouped(view.wordsSent)} words`,
    `counted ${grouped(view.wordsCounted)}`,
    ...kills,
    top.join(', '),
  ]
    .filter((part) => part !== '')
    .join('  ')
}

/** A number with commas between thousands. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function figures(view: View): Segment[] {
  return [
    ...figure('batch', String(view.batchId ?? '–').padStart(4)),
    ...figure('records/s', grouped(view.recordsPerSecond).padStart(5)),
    ...figure('lag', seconds(view.lagMs)),
    ...figure('scheduling', ms(view.schedulingDelayMs).padStart(7)),
    ...figure('processing', ms(view.processingDelayMs).padStart(7)),
  ]
}

function progress(view: View): Segment[] {
  return [
    ...figure('sent', grouped(view.wordsSent).padStart(9)),
    ...figure('counted', grouped(view.wordsCounted).padStart(9)),
    ...(view.killsPlanned > 0 ? figure('kills', `${view.kills} of ${view.killsPlanned}`) : []),
    [`  ${view.speaker}`, 'italic'],
  ]
}

function figure(name: string, value: string): Segment[] {
  return [
    [` ${name} `, 'dim'],
    [`${value} `, 'bold'],
  ]
}

function bar([word, count]: Count, most: number, columns: number): Segment[] {
  const room = Math.min(BAR_COLUMNS_MAX, columns - WORD_COLUMNS - COUNT_COLUMNS - 4)
  const eighths = Math.max(1, Math.round((count / most) * Math.max(1, room) * 8))
  const drawn = '█'.repeat(Math.floor(eighths / 8)) + EIGHTHS[eighths % 8]
  return [
    [` ${word.slice(0, WORD_COLUMNS - 1).padEnd(WORD_COLUMNS)}`],
    [drawn, 'cyan'],
    [` ${grouped(count)}`, 'dim'],
  ]
}

/** Joins segments, cut at the width: a line that wraps would spoil the picture. */
function paint(segments: readonly Segment[], columns: number): string {
  let left = Math.max(0, columns)
  let line = ''
  for (const [text, style] of segments) {
    const shown = text.slice(0, left)
    left -= shown.length
    line += style === undefined || shown === '' ? shown : styleText(style, shown)
  }
  return line
}

function seconds(value: number): string {
  return `${(value / 1_000).toFixed(1)} s`
}

function ms(value: number): string {
  return `${grouped(value)} ms`
}
