import { grep } from './grep.ts'
import type { Hand } from './hand-loop.ts'
import { runningSum } from './running-sum.ts'
import { windowedJoin } from './windowed-join.ts'
import { slidingWordCount, topK } from './windowed-words.ts'
import { wordCount } from './word-count.ts'
import { yahoo } from './yahoo.ts'

const hands = {
  grep,
  'word-count': wordCount,
  'sliding-word-count': slidingWordCount,
  'top-k': topK,
  yahoo,
  'running-sum': runningSum,
  'windowed-join': windowedJoin,
}

/** The name of a workload: of its loop, and of the module of its pipeline. */
export type WorkloadName = keyof typeof hands

/** The hand-written loops of a workload. */
export function handOf(name: WorkloadName): Hand {
  return hands[name] as Hand
}
