// docs/kinesis-simulator-differences.md, written from the rules.

import { join } from 'node:path'
import { ROOT } from '../../tidy/source-file.ts'
import type { Rule, ServerName } from './rule.ts'
import { RULES } from './rules.ts'

/** Where the page lies. */
export const PAGE = join(ROOT, 'docs', 'kinesis-simulator-differences.md')

const NAMES: readonly ServerName[] = ['kinesalite', 'kinesis-local', 'moto']

const HEAD = `# Where Kinesis servers differ

Written by \`node --conditions=millrace-src test/integration/differential/write-page.ts\`; a test
checks that it is current.

The same random calls go to \`KinesisSimulator\` and to kinesalite 3.3.3, kinesis-local 0.6.2 and
moto 5.2.5 (\`test/integration/kinesis-differential.test.ts\`, and with more of them
\`npm run torture -- differential --count 2000\`). What comes back is compared member by member:
ids, times and tokens by being there, sequence numbers by their order. Each difference is of a class
below, or the suite fails. None of the three throttles, so limits are not compared: they are tested
against AWS's documentation alone.

Where the documentation decides, the simulator keeps to it. "Open" are classes on which AWS says
nothing, or leaves the member out of what it promises; there the simulator does what kinesalite
does, which was compared with the service itself, or what seemed the safer for a test.
`

/** The text of the page. */
export function pageText(): string {
  const decided = RULES.filter(({ right }) => right === 'simulator')
  const open = RULES.filter(({ right }) => right === 'open')
  return `${HEAD}
## The server is wrong

${table(decided)}

## Open

${table(open)}
`
}

function table(rules: readonly Rule[]): string {
  const head = ['What the server does', 'Operations', ...NAMES, 'AWS']
  const lines = rules.map(({ what, operations, servers, page }) => {
    const marks = NAMES.map((name) => (servers.includes(name) ? '×' : ''))
    const name = page
      .split('/')
      .at(-1)
      ?.replace(/\.html$/, '')
    const link = `[${name}](https://docs.aws.amazon.com/${page})`
    return [what, operations?.join(', ') ?? 'all', ...marks, link]
  })
  return [head, head.map(() => '---'), ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n')
}
