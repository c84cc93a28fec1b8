// A pipeline with a window, a state and a join, whose closure ends the thread at calls that the
// test names.

import { writeFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { type Batch, type DStream, pipeline, type State, type StreamingContext } from 'millrace'
import { lateSource } from './late-source.ts'

/** When a closure ends its thread: at its `at`-th call in all threads' lives, each once. */
export interface DeathArgs {
  /** A folder; a death leaves a file there, so that it comes once. */
  readonly folder: string
  readonly deaths: readonly { readonly batchTime: number; readonly key: string }[]
}

type Pairs = DStream<[string, number]>

export default function build(ssc: StreamingContext, args: DeathArgs, words: Pairs): Pairs {
  void ssc
  const mortal = words.transform((batch, time) =>
    batch.map(([key, n]): [string, number] => {
      const death = args.deaths.find((one) => one.batchTime === time && one.key === key)
      if (death !== undefined && comesNow(args.folder, `${time}-${key}`)) process.exit(7)
      return [key, n]
    }),
  )
  const windowed = mortal.reduceByKeyAndWindow(
    (a, b) => a + b,
    (a, b) => a - b,
    '3s',
    '1s',
  )
  const plain = mortal.reduceByKeyAndWindow((a, b) => a + b, '2s', '1s')
  const state = mortal.mapWithState((key: string, n: number | undefined, sum: State<number>) => {
    sum.update((sum.exists() ? sum.get() : 0) + (n ?? 0))
    return [key, sum.get()] as [string, number]
  })
  return windowed
    .join(plain)
    .mapValues(([a, b]) => a * 1000 + b)
    .union(state)
}

function comesNow(folder: string, name: string): boolean {
  try {
    writeFileSync(`${folder}/${name}`, String(threadId), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

/** What a run that is late is given: all its batches are due at once. */
export interface LateArgs extends DeathArgs {
  readonly batches: readonly (readonly [string, number][])[]
}

const seen: unknown[][] = []

/** What a late run gave, batch by batch, since the last call. */
export function takeSeen(): unknown[][] {
  return seen.splice(0)
}

/** The checkpoint is given at the start. */
const options = { batchInterval: 1_000, checkpoint: false, batchAttemptsMax: 8 } as const

export const late = pipeline('late', options, (ssc, args: LateArgs) => {
  const words = ssc.receive(lateSource(args.batches)) as Pairs
  build(ssc, args, words).foreachBatch(async (batch: Batch<[string, number]>) => {
    seen.push(await batch.collect())
  })
})
