// The words in which the demo says what it found.

import { styleText } from 'node:util'
import { type CheckReport, passed } from './check.ts'
import type { KillHit, Phase } from './engine-process.ts'
import { grouped } from './frame.ts'
import type { Problems } from './problems.ts'

/** The lines that end a run of the demo. */
export function verdictLines(report: CheckReport, kills: readonly KillHit[]): string[] {
  const { wordsSent, recordsSent, wordsCounted, distinctWords, windows, batches, parts } = report
  const pauses = report.pauses === 0 ? '' : `, ${report.pauses} pauses of the demo left out`
  return [
    ...killLines(kills),
    '',
    `words sent      ${grouped(wordsSent)} in ${grouped(recordsSent)} records (producer's record)`,
    `words counted   ${grouped(wordsCounted)}, ${grouped(distinctWords)} distinct (files)`,
    mark(report.totalsDiffer, 'every word was counted as often as it was sent'),
    mark(
      report.windowsDiffer,
      `all ${grouped(windows)} windows = total(t) − total(t − 30 s)${pauses}`,
    ),
    mark(
      report.files,
      `${grouped(parts)} parts of ${grouped(batches)} batches as in their manifests`,
    ),
    '',
    passed(report)
      ? styleText(['bold', 'green'], 'Equal: each word was counted exactly once.')
      : styleText(['bold', 'red'], 'NOT EQUAL: see above.'),
  ].flat()
}

/** Says what a kill hit. */
export function killLine(hit: KillHit, number: number, planned: number, atMs: number): string {
  const place = hit.phase === 'idle' ? 'after batch' : 'batch'
  const batch = hit.batchId === undefined ? '' : `, ${place} ${hit.batchId}`
  const when = `${(atMs / 1_000).toFixed(1).padStart(6)} s`
  const what = styleText('red', `kill -9 (${number} of ${planned})`)
  return `${when}  ${what} hit the engine, process ${hit.pid}, in phase: ${hit.phase}${batch}`
}

/** A line that the engine wrote to its stderr; of a line of its log, the message. */
export function engineLine(line: string): string {
  try {
    const { msg } = JSON.parse(line) as { msg?: unknown }
    return styleText('dim', `          engine: ${typeof msg === 'string' ? msg : line}`)
  } catch {
    return styleText('dim', `          engine: ${line}`)
  }
}

function killLines(kills: readonly KillHit[]): string[] {
  if (kills.length === 0) return []
  const phases = new Map<Phase, number>()
  for (const { phase } of kills) phases.set(phase, (phases.get(phase) ?? 0) + 1)
  const parts = [...phases].map(([phase, count]) => `${count} ${phase}`)
  return ['', `kills           ${kills.length}: ${parts.join(', ')}`]
}

function mark(problems: Problems, right: string): string[] {
  if (problems.count === 0) return [`${styleText('green', '✓')} ${right}`]
  const more = problems.count - problems.shown.length
  return [
    `${styleText('red', '✗')} not true that ${right}:`,
    ...problems.shown.map((problem) => `    ${problem}`),
    ...(more > 0 ? [`    and ${grouped(more)} more`] : []),
  ]
}
