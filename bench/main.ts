// npm run bench -- <question> …, see USAGE

import { parseArgs } from 'node:util'
import type { Measured } from './comparison/measured.ts'
import { targetNotes, targetRows } from './comparison/targets.ts'
import { measure, workloadAnswer } from './comparison/workload-question.ts'
import { workloads } from './comparison/workloads.ts'
import { emptyBatch } from './empty-batch.ts'
import { eventLoop } from './event-loop.ts'
import { fusedChain } from './fused-chain.ts'
import {
  type Answer,
  type BenchOptions,
  provenance,
  type Question,
  save,
  table,
} from './harness.ts'
import { kinesis } from './kinesis.ts'
import { kinesisServers } from './kinesis-servers.ts'
import { latency } from './latency/latency.ts'
import { memory } from './memory.ts'
import { commitCost } from './state/commit-cost.ts'
import { recovery } from './state/recovery.ts'
import { windowSlides } from './window-slides.ts'

const USAGE =
  'npm run bench -- <question> [<question> …] [--peers] [--rounds N] [--seconds N] [--records N] ' +
  '[--seed N] [--no-save]\n' +
  'npm run bench -- all: every workload, and what is to be reached'

const measured: Measured[] = []

const questions: Readonly<Record<string, Question>> = {
  ...Object.fromEntries(workloads.map((workload) => [workload.name, workloadQuestion(workload)])),
  'fused-chain': fusedChain,
  'empty-batch': emptyBatch,
  'window-slides': windowSlides,
  memory,
  recovery,
  'commit-cost': commitCost,
  'event-loop': eventLoop,
  latency,
  kinesis,
  'kinesis-servers': kinesisServers,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seed: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    records: { type: 'string' },
    peers: { type: 'boolean', default: false },
    save: { type: 'boolean', default: true },
  },
})

// So that what was started ends, too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

const names = positionals.flatMap((name) =>
  name === 'all' ? workloads.map((workload) => workload.name) : [name],
)
const unknown = names.find((name) => !Object.hasOwn(questions, name))
if (names.length === 0) console.log(usage())
else if (unknown !== undefined) {
  console.error(`There is no question "${unknown}"\n\n${usage()}`)
  process.exitCode = 1
} else {
  for (const name of names) await ask(name, questions[name] as Question)
  if (positionals.includes('all')) tell('targets', targetRows(measured), '')
}

function workloadQuestion(workload: (typeof workloads)[number]): Question {
  const { asks, rounds, records } = workload
  return {
    asks,
    defaults: { seed: 1, rounds, records },
    async answer(options) {
      const figures = await measure(workload, options)
      measured.push(figures)
      const { rows, notes = [] } = workloadAnswer(figures, workload, options)
      return { rows, notes: [...notes, ...targetNotes(figures)] }
    },
  }
}

async function ask(name: string, { asks, answer, defaults }: Question): Promise<void> {
  const rounds = values.seconds === undefined ? defaults.rounds : Number.POSITIVE_INFINITY
  const options: BenchOptions = {
    seed: numberOf('seed', defaults.seed),
    rounds: numberOf('rounds', rounds),
    seconds: numberOf('seconds', Number.POSITIVE_INFINITY),
    records: numberOf('records', defaults.records),
    peers: values.peers,
  }
  tell(name, await answer(options), `${asks}\n\n`, asked(options))
}

function tell(name: string, { rows, notes = [] }: Answer, head: string, bounds = ''): void {
  const lines = [...notes, '', ...(bounds === '' ? [] : [bounds]), provenance()]
  const text = `${head}${table(rows)}\n\n${lines.join('\n').trimStart()}\n`
  console.log(text)
  if (values.save) console.log(`written to ${save(name, text)}\n`)
}

/** The option as a number; throws for what is none. */
function numberOf(option: 'seed' | 'rounds' | 'seconds' | 'records', otherwise: number): number {
  const given = values[option]
  if (given === undefined) return otherwise
  const number = Number(given)
  if (given.trim() !== '' && number >= 0) return number
  throw new RangeError(`Cannot use --${option} ${given}: give a number from 0 on`)
}

function asked({ seed, rounds, seconds, records }: BenchOptions): string {
  const bounds = [
    ...(Number.isFinite(rounds) ? [`${rounds} rounds`] : []),
    ...(Number.isFinite(seconds) ? [`${seconds} s`] : []),
  ]
  return [`seed ${seed}`, ...bounds, `${records} records a batch`].join(', ')
}

function usage(): string {
  const width = Math.max(...Object.keys(questions).map((key) => key.length))
  const list = Object.entries(questions).map(([key, { asks }]) => {
    return `  ${key.padEnd(width)} ${asks.replaceAll('\n', ' ')}`
  })
  return `${USAGE}\n\n${list.join('\n')}`
}
