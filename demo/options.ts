import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** Seconds of a run that one kill needs, so that each engine gets to work before the next. */
const SECONDS_PER_KILL_MIN = 2
const SECONDS_PER_RUN_MAX = 86_400

/** What the demo was asked to do. */
export interface DemoOptions {
  /** How long to feed the stream before the check; undefined means until Ctrl-C. */
  readonly seconds: number | undefined
  readonly kills: number
  readonly fresh: boolean
  readonly seed: number
  /** Absolute path of the folder that holds stream, record, checkpoint and output. */
  readonly folder: string
}

/** A mistake in the command line; its message says what to write instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const USAGE = `npm run demo -- [options]

  --seconds N   feed the stream for N seconds, then check words sent against words counted
  --kill N      kill the engine with SIGKILL N times at random moments (needs --seconds)
  --fresh       empty the folder first
  --seed N      the seed of the random moments (default: a new one, printed)
  --folder DIR  where everything is kept (default ./demo-out)
  --help        show this text

Without --seconds it runs until Ctrl-C; the next start goes on from there.`

/** Reads the command line. Gives undefined where only the help text is wanted. */
export function readOptions(args: readonly string[]): DemoOptions | undefined {
  const { values } = parse(args)
  if (values.help) return undefined
  const seconds = wholeNumber('--seconds', values.seconds, 1, SECONDS_PER_RUN_MAX)
  const kills = wholeNumber('--kill', values.kill, 0, SECONDS_PER_RUN_MAX) ?? 0
  checkKills(kills, seconds)
  return {
    seconds,
    kills,
    fresh: values.fresh,
    seed: wholeNumber('--seed', values.seed, 0, 2 ** 32 - 1) ?? Date.now() % 100_000,
    folder: resolve(values.folder),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        kill: { type: 'string' },
        seed: { type: 'string' },
        folder: { type: 'string', default: './demo-out' },
        fresh: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
  } catch (error) {
    throw new UsageError(`Cannot read the options: ${(error as Error).message}`, { cause: error })
  }
}

function wholeNumber(name: string, text: string | undefined, min: number, max: number) {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(
    `Cannot use ${name} "${text}": it must be a whole number from ${min} to ${max}`,
  )
}

function checkKills(kills: number, seconds: number | undefined): void {
  if (kills === 0) return
  const needed = kills * SECONDS_PER_KILL_MIN
  if (seconds === undefined) {
    throw new UsageError(
      `Cannot use --kill ${kills} alone: the kills are spread over the run; add --seconds ` +
        `${Math.max(needed, kills * 8)}`,
    )
  }
  if (seconds < needed) {
    throw new UsageError(
      `Cannot fit --kill ${kills} into --seconds ${seconds}: each kill needs ` +
        `${SECONDS_PER_KILL_MIN} s; use --seconds ${needed}, or --kill ` +
        `${Math.floor(seconds / SECONDS_PER_KILL_MIN)}`,
    )
  }
}
