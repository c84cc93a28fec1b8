// `npm run demo`: speeches go through a Kinesis stream into a word count that nothing can make
// miscount.

import { type DemoOptions, readOptions, USAGE, UsageError } from './options.ts'
import { runDemo } from './run-demo.ts'
import { Screen } from './screen.ts'

/** npm passes a Ctrl-C on that the terminal has already delivered; both are one. */
const SAME_SIGNAL_MS = 300

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args)
    if (options !== undefined) return await run(options)
    console.log(USAGE)
    return 0
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(error.message)
    return 2
  }
}

async function run(options: DemoOptions): Promise<number> {
  const screen = new Screen(process.stdout)
  try {
    return await runDemo(options, screen, interruptSignal())
  } catch (error) {
    if (error instanceof UsageError) throw error
    screen.settle()
    console.error(error instanceof Error ? error.message : error)
    return 1
  } finally {
    screen.close()
  }
}

/** Aborts at the first Ctrl-C; the second one ends the process, and the engine with it. */
function interruptSignal(): AbortSignal {
  const interrupt = new AbortController()
  let firstMs = Number.POSITIVE_INFINITY
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(130)
      if (interrupt.signal.aborted) return
      firstMs = performance.now()
      interrupt.abort()
    })
  }
  return interrupt.signal
}
