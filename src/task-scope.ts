// Which task the running code belongs to: a closure of a batch, or the function of an output
// operation. What it adds to accumulators goes into the tally of its task, and counts only if the
// attempt that the task is part of is committed.

import { AsyncLocalStorage } from 'node:async_hooks'

/** What was added to each accumulator, by name. */
export class Tally {
  readonly #sums = new Map<string, number>()

  get isEmpty(): boolean {
    return this.#sums.size === 0
  }

  add(name: string, n: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + n)
  }

  merge(other: Tally): void {
    for (const [name, n] of other.entries()) this.add(name, n)
  }

  entries(): IterableIterator<[string, number]> {
    return this.#sums.entries()
  }
}

interface Task {
  /** What the task runs for; tasks of other owners have nothing to do with it. */
  readonly owner: object
  readonly tally: Tally
  ended: boolean
}

const tasks = new AsyncLocalStorage<Task>()

/** Runs `work` as a task of `owner`. What it still does after its promise has settled is no part of
 * the task. */
export async function runTask<T>(
  owner: object,
  tally: Tally,
  work: () => T | Promise<T>,
): Promise<T> {
  const task = { owner, tally, ended: false }
  try {
    return await tasks.run(task, work)
  } finally {
    task.ended = true
  }
}

/** Runs `work` as a part of the current task that may fail alone: what it adds counts only if it
 * succeeds. */
export async function runPart<T>(work: () => Promise<T>): Promise<T> {
  const task = tasks.getStore()
  if (task === undefined) return work()
  const tally = new Tally()
  const result = await runTask(task.owner, tally, work)
  if (!task.ended) task.tally.merge(tally)
  return result
}

/** The tally of the task of `owner` that the caller is part of; undefined outside of one. */
export function currentTally(owner: object): Tally | undefined {
  const task = tasks.getStore()
  return task?.owner === owner && !task.ended ? task.tally : undefined
}
