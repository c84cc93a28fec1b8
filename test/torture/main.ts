// npm run torture -- NAME [--count N] [--seed S] [--store STORE] [--ledger]: runs N cases of a
// torture from seed S on; without a name it lists them. It is the code that runs in the tests, with
// bigger numbers. With --ledger the run has a row in ledger.tsv, written as it goes: the same
// command goes on where it was interrupted.

import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Ledger, type LedgerRow } from './ledger.ts'
import { describeFinding, describeOutcomes, runTorture, type TortureReport } from './torture.ts'
import { TORTURES } from './tortures.ts'

const LEDGER = fileURLToPath(new URL('ledger.tsv', import.meta.url))
const TELL_EVERY_MS = 10_000

interface Command {
  readonly name: string
  readonly store: string
  readonly from: number
  readonly count: number
}

function commit(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
}

function rowOf(command: Command, report: TortureReport, before: LedgerRow | undefined): LedgerRow {
  return {
    ...command,
    to: report.to,
    found: report.found.length,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10),
    seconds: Math.round(report.seconds) + (before?.seconds ?? 0),
    outcomes: [before?.outcomes, describeOutcomes(report.outcomes)].filter(Boolean).join(' + '),
  }
}

function list(): void {
  for (const { name, what, stores, counts } of TORTURES) {
    const once = Number.isFinite(counts.once) ? counts.once : 'all'
    console.log(`${name.padEnd(13)}${what} (${stores.join(', ')}; once: ${once})`)
  }
}

async function main(): Promise<boolean> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      count: { type: 'string' },
      seed: { type: 'string', default: '1' },
      store: { type: 'string' },
      ledger: { type: 'boolean', default: false },
    },
  })
  const torture = TORTURES.find(({ name }) => name === positionals[0])
  if (torture === undefined) {
    list()
    return positionals.length === 0
  }
  const { name, stores, counts } = torture
  const store = values.store ?? stores[0] ?? ''
  if (!stores.includes(store)) throw new Error(`${name} runs on ${stores.join(' or ')}`)
  const asked = values.count === undefined ? counts.once : Number(values.count)
  const count = Number.isFinite(asked) ? asked : Number.MAX_SAFE_INTEGER
  const command = { name, store, from: Number(values.seed), count }
  const ledger = values.ledger ? new Ledger(LEDGER) : undefined
  const before = ledger?.interrupted(command)
  const seed = before === undefined ? command.from : before.to + 1
  console.log(`${name} on ${store}: ${torture.what}; from seed ${seed} on`)
  let row = before
  let toldMs = performance.now()
  const tell = (report: TortureReport) => {
    if (performance.now() - toldMs < TELL_EVERY_MS) return
    toldMs = performance.now()
    console.log(`  seed ${report.to}: ${describeOutcomes(report.outcomes)}`)
    if (ledger === undefined) return
    const next = rowOf(command, report, before)
    ledger.put(next, row)
    row = next
  }
  const left = command.from + count - seed
  const report = await runTorture(torture, {
    store,
    seed,
    count: left,
    where: 'once',
    onProgress: tell,
    onFound: (finding) => console.error(describeFinding(finding)),
  })
  const ran = report.to - command.from + 1
  // Where all there is was asked for, the count is what there was.
  const whole = report.found.length === 0 ? { ...command, count: Math.min(count, ran) } : command
  ledger?.put(rowOf(whole, report, before), row)
  const seconds = report.seconds.toFixed(0)
  console.log(`${name}: seeds ${seed} to ${report.to} in ${seconds} s: `)
  console.log(`  ${describeOutcomes(report.outcomes)}; found: ${report.found.length}`)
  return report.found.length === 0
}

// The servers and engines that a torture has started end with it.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => process.exit(code))
}

// A run that waits for nothing that can come would end in silence otherwise.
process.exitCode = 1
process.exitCode = (await main()) ? 0 : 1
