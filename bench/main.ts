// npm run bench -- <question> [--runs N] [--records N] [--seed N] [--no-save]

import { parseArgs } from 'node:util'
import { emptyBatch } from './empty-batch.ts'
import { fusedChain } from './fused-chain.ts'
import { provenance, type Question, save, table } from './harness.ts'
import { wordCount } from './word-count.ts'

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
    records: { type: 'string' },
    save: { type: 'boolean', default: true },
  },
})

const [name = ''] = positionals
const question = questions[name]
if (question === undefined) {
  const list = Object.entries(questions).map(([key, { asks }]) => `  ${key.padEnd(12)} ${asks}`)
  console.error(`npm run bench -- <question>, one of:\n${list.join('\n')}`)
  process.exitCode = name === '' ? 0 : 1
} else {
  const { defaults } = question
  const options = {
    seed: Number(values.seed ?? defaults.seed),
    runs: Number(values.runs ?? defaults.runs),
    records: Number(values.records ?? defaults.records),
  }
  const rows = await question.answer(options)
  const asked = `seed ${options.seed}, ${options.runs} runs, ${options.records} records a batch`
  const text = `${question.asks}\n\n${table(rows)}\n\n${asked}\n${provenance()}\n`
  console.log(text)
  if (values.save) console.log(`written to ${save(name, text)}`)
}
