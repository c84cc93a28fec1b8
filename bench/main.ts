// npm run bench -- <question> [--runs N] [--seconds N] [--records N] [--seed N] [--no-save]

import { parseArgs } from 'node:util'
import { emptyBatch } from './empty-batch.ts'
import { fusedChain } from './fused-chain.ts'
import { type BenchOptions, provenance, type Question, save, table } from './harness.ts'
import { wordCount } from './word-count.ts'

const USAGE =
  'npm run bench -- <question> [--runs N] [--seconds N] [--records N] [--seed N] [--no-save]'

const questions: Readonly<Record<string, Question>> = {
  'fused-chain': fusedChain,
  'word-count': wordCount,
  'empty-batch': emptyBatch,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    seed: { type: 'string' },
    runs: { type: 'string' },
    seconds: { type: 'string' },
    records: { type: 'string' },
    save: { type: 'boolean', default: true },
  },
})

const [name] = positionals
const question = Object.hasOwn(questions, name ?? '') ? questions[name ?? ''] : undefined
if (question !== undefined && name !== undefined) await ask(name, question)
else if (name === undefined) console.log(usage())
else {
  console.error(`There is no question "${name}"\n\n${usage()}`)
  process.exitCode = 1
}

async function ask(name: string, { asks, answer, defaults }: Question): Promise<void> {
  const runs = values.seconds === undefined ? defaults.runs : Number.POSITIVE_INFINITY
  const options: BenchOptions = {
    seed: numberOf('seed', defaults.seed),
    runs: numberOf('runs', runs),
    seconds: numberOf('seconds', Number.POSITIVE_INFINITY),
    records: numberOf('records', defaults.records),
  }
  const rows = await answer(options)
  const text = `${asks}\n\n${table(rows)}\n\n${asked(options)}\n${provenance()}\n`
  console.log(text)
  if (values.save) console.log(`written to ${save(name, text)}`)
}

/** The option as a number; throws for what is none. */
function numberOf(option: 'seed' | 'runs' | 'seconds' | 'records', otherwise: number): number {
  const given = values[option]
  if (given === undefined) return otherwise
  const number = Number(given)
  if (given.trim() !== '' && number >= 0) return number
  throw new RangeError(`Cannot use --${option} ${given}: give a number from 0 on`)
}

function asked({ seed, runs, seconds, records }: BenchOptions): string {
  const bounds = [
    ...(Number.isFinite(runs) ? [`${runs} runs`] : []),
    ...(Number.isFinite(seconds) ? [`${seconds} s`] : []),
  ]
  return [`seed ${seed}`, ...bounds, `${records} records a batch`].join(', ')
}

function usage(): string {
  const list = Object.entries(questions).map(([key, { asks }]) => {
    return `  ${key.padEnd(12)} ${asks.replaceAll('\n', ' ')}`
  })
  return `${USAGE}\n\n${list.join('\n')}`
}
