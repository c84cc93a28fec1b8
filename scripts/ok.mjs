// The one gate: `npm test`, `npm run ok` and .ci/run are this file. Cheap steps come first; each
// step runs even where an earlier one failed, so that one run tells all there is to fix.
import { run } from './run.mjs'

const steps = [
  { name: 'format and imports', tool: 'biome', args: ['check', '--linter-enabled=false'] },
  { name: 'lint', tool: 'biome', args: ['lint', '--error-on-warnings'] },
  { name: 'promises', tool: 'oxlint', args: ['--type-aware', '--deny-warnings', '.'] },
  { name: 'types', tool: 'tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'build', tool: 'node', args: ['scripts/build.mjs'] },
  { name: 'layers, house rules, tests, examples in docs', tool: 'vitest', args: ['run'] },
]

const outcomes = steps.map(({ name, tool, args }) => {
  console.log(`\n== ${name}: ${tool} ${args.join(' ')}`)
  const startedMs = performance.now()
  const passed = run(tool, args) === 0
  return { name, passed, seconds: (performance.now() - startedMs) / 1000 }
})

console.log('')
for (const { name, passed, seconds } of outcomes) {
  console.log(`${passed ? 'ok  ' : 'FAIL'}  ${name} (${seconds.toFixed(1)} s)`)
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
