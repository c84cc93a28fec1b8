// What may happen to a sink: histories of lives that begin, write, die and come back. Each says
// what it found against the contract (docs/sinks.md).

import { codeOf, messageOf } from '../errors.ts'
import { isTaskSink } from '../sinks/sink.ts'
import type { SinkGuarantee, SinkUnderTest, SinkViolation } from './check-sink.ts'
import { NotCloneable, SinkLife, type TestBatch } from './sink-life.ts'

/** One thing that may happen. */
export interface SinkHistory {
  readonly name: string
  run(place: Place): Promise<void>
}

/** The place of a sink under test, with what is expected of it and what was found against it. */
export class Place {
  readonly violations: SinkViolation[] = []
  readonly #under: SinkUnderTest
  readonly #history: string

  constructor(under: SinkUnderTest, history: string) {
    this.#under = under
    this.#history = history
  }

  get isExact(): boolean {
    return this.#under.sink().guarantee === 'exactly-once'
  }

  get hasTasks(): boolean {
    return isTaskSink(this.#under.sink())
  }

  get fences(): boolean {
    return this.#under.fences ?? (this.isExact && this.hasTasks)
  }

  life(epoch: number, redo: readonly number[] = []): Promise<SinkLife> {
    return SinkLife.open(this.#under.sink, epoch, redo)
  }

  /** A batch of so many records for each partition; the same id gives the same records, whatever
   * the partitions. */
  batch(batchId: number, ...sizes: number[]): TestBatch {
    const record = this.#under.record ?? ((n: number) => `record ${n}`)
    let n = batchId * 1_000
    const partitions = sizes.map((size) => Array.from({ length: size }, () => record(n++)))
    return { batchId, partitions }
  }

  found(guarantee: SinkGuarantee, detail: string): void {
    this.violations.push({ guarantee, history: this.#history, detail })
  }

  /** Compares what the place shows with batches; `extra` names what is broken by records too
   * many. */
  async expect(
    batches: readonly TestBatch[],
    when: string,
    extra: SinkGuarantee = 'once',
  ): Promise<void> {
    const left = new Map<string, number>()
    const count = (record: unknown, by: number): void => {
      const text = JSON.stringify(record) ?? 'undefined'
      left.set(text, (left.get(text) ?? 0) + by)
    }
    for (const { partitions } of batches) for (const one of partitions.flat(1)) count(one, 1)
    for (const one of await this.#under.read()) count(one, -1)
    const missing = [...left].filter(([, n]) => n > 0).map(([text]) => text)
    const surplus = [...left].filter(([, n]) => n < 0).map(([text]) => text)
    if (missing.length > 0) this.found('complete', `${when}, ${listed(missing)} missing`)
    const counts = this.isExact || extra === 'invisible'
    if (counts && surplus.length > 0) this.found(extra, `${when}, ${listed(surplus)} too many`)
  }

  async expectNoLeftovers(): Promise<void> {
    const left = (await this.#under.leftovers?.()) ?? []
    if (left.length > 0) this.found('leftovers', `${listed(left.map(String))} left after the close`)
  }

  /** Takes what a history threw. */
  threw(error: unknown): void {
    this.found(error instanceof NotCloneable ? 'threads' : 'works', messageOf(error))
  }
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).join(', ')
  return texts.length > 3 ? `${shown} and ${texts.length - 3} more are` : `${shown} is`
}

const STEPS_MAX = 5

/** Every history: those that need tasks say nothing of a sink without. */
export const HISTORIES: readonly SinkHistory[] = [
  { name: 'batches are written one after the other', run: written },
  { name: 'nothing shows before the commit', run: hidden },
  { name: 'a batch is committed again by the same process', run: committedAgain },
  { name: 'a worker dies and the batch is run again', run: attemptedAgain },
  { name: 'a task of an earlier attempt is late', run: lateTask },
  { name: 'a process is told of batches that are there, and of some that are not', run: recovered },
  { name: 'a committed batch comes again with other partitions', run: repartitioned },
  { name: 'a process that was taken over commits', run: fenced },
  { name: 'a process that was taken over prepares and writes', run: fencedEarly },
  ...Array.from({ length: STEPS_MAX }, (_, n) => n + 1).flatMap((n) => [
    { name: `a process dies after call ${n} of a batch, twice`, run: diesAfter(n, false) },
    { name: `a process dies within call ${n} of a batch, twice`, run: diesAfter(n, true) },
  ]),
]

async function written(place: Place): Promise<void> {
  const life = await place.life(1)
  const batches = [place.batch(1, 2, 0, 3), place.batch(2, 1), place.batch(5, 0, 4)]
  for (const [i, batch] of batches.entries()) {
    const records = batch.partitions.flat(1).length
    const receipt = await life.write(batch)
    if (receipt.records !== records) {
      place.found('receipts', `${receipt.records} records instead of ${records}`)
    }
    await place.expect(batches.slice(0, i + 1), `after batch ${batch.batchId}`)
  }
  if (!place.hasTasks) await life.write(place.batch(6, 0, 0))
  await life.close()
  await place.expect(batches, 'after the close')
  await place.expectNoLeftovers()
}

async function hidden(place: Place): Promise<void> {
  if (!place.hasTasks) return
  const life = await place.life(1)
  const before = place.batch(1, 2)
  await life.write(before)
  const batch = place.batch(2, 2, 2)
  const steps = life.steps(batch)
  for (const step of steps.slice(0, -1)) {
    await step.run()
    await place.expect([before], `after ${step.name}`, 'invisible')
  }
  await steps.at(-1)?.run()
  await place.expect([before, batch], 'after commit')
  await life.close()
}

async function committedAgain(place: Place): Promise<void> {
  const life = await place.life(1)
  const batch = place.batch(1, 2, 1)
  await life.write(batch)
  await life.write(batch, 1)
  await place.expect([batch], 'after the second commit')
  await life.close()
  await place.expectNoLeftovers()
}

async function attemptedAgain(place: Place): Promise<void> {
  const life = await place.life(1)
  const extra = place.hasTasks ? 'attempts' : 'once'
  const batch = place.batch(1, 2, 2, 1)
  for (const step of life.steps(batch, 0).slice(0, 3)) await step.run()
  await life.write(batch, 1)
  await place.expect([batch], 'after attempt 1', extra)
  const next = place.batch(2, 1)
  await life.write(next)
  await place.expect([batch, next], 'after the next batch', extra)
  await life.close()
  await place.expectNoLeftovers()
}

async function lateTask(place: Place): Promise<void> {
  if (!place.hasTasks) return
  const life = await place.life(1)
  const batch = place.batch(1, 2, 2)
  const [prepare, first, late] = life.steps(batch, 0)
  await prepare?.run()
  await first?.run()
  const again = life.steps(batch, 1)
  for (const step of again.slice(0, -1)) await step.run()
  // It may be refused, since its attempt is over.
  await late?.run().catch(() => undefined)
  await again.at(-1)?.run()
  await place.expect([batch], 'after attempt 1', 'attempts')
  await life.close()
}

async function recovered(place: Place): Promise<void> {
  const batches = [place.batch(1, 2), place.batch(2, 1, 1), place.batch(3, 1)]
  const first = await place.life(1)
  for (const batch of batches.slice(0, 2)) await first.write(batch)
  const second = await place.life(2, [2, 3])
  for (const batch of batches.slice(1)) await second.write(batch)
  await place.expect(batches, 'after the redo')
  await second.close()
  const third = await place.life(3)
  await place.expect(batches, 'after a start with nothing to redo')
  await third.close()
  await place.expectNoLeftovers()
}

async function repartitioned(place: Place): Promise<void> {
  const first = await place.life(1)
  const before = place.batch(1, 2)
  await first.write(before)
  await first.write(place.batch(2, 1, 2, 1))
  const second = await place.life(2, [2])
  const batch = place.batch(2, 3, 1)
  await second.write(batch)
  await place.expect([before, batch], 'after the redo')
  await second.close()
}

async function fenced(place: Place): Promise<void> {
  const old = await place.life(1)
  const before = place.batch(1, 2)
  await old.write(before)
  const batch = place.batch(2, 2, 1)
  const steps = old.steps(batch)
  for (const step of steps.slice(0, -1)) await step.run()
  const next = await place.life(2, [2])
  const outcome = await steps
    .at(-1)
    ?.run()
    .then(
      () => 'resolved',
      (error: unknown) => `rejected (${codeOf(error) ?? messageOf(error)})`,
    )
  if (place.fences) {
    if (outcome === 'resolved') place.found('fenced', 'the commit of a lower epoch resolved')
    await place.expect([before], 'after the commit of a lower epoch', 'fenced')
  }
  await next.write(batch)
  await old.close().catch(() => undefined)
  await place.expect([before, batch], 'after the redo')
  await next.close()
  await place.expect([before, batch], 'after the close')
  await place.expectNoLeftovers()
}

async function fencedEarly(place: Place): Promise<void> {
  if (!place.hasTasks) return
  const old = await place.life(1)
  const next = await place.life(2)
  const batch = place.batch(1, 2, 1)
  for (const step of old.steps(place.batch(1, 1, 2))) await step.run().catch(() => undefined)
  if (place.fences) await place.expect([], 'after the batch of a lower epoch', 'fenced')
  await next.write(batch)
  await place.expect([batch], 'after the redo')
  await old.close().catch(() => undefined)
  await next.close()
  await place.expectNoLeftovers()
}

/** Two lives die at the same call of the same batch, the second of them with other partitions; the
 * third writes it. `within`: the call is under way, and comes to its end at any time later. */
function diesAfter(n: number, within: boolean): SinkHistory['run'] {
  return async (place) => {
    const before = place.batch(1, 1, 1)
    const lives: SinkLife[] = []
    const late: Promise<void>[] = []
    for (const [i, batch] of [place.batch(2, 2, 1, 1), place.batch(2, 1, 3)].entries()) {
      const life = await place.life(i + 1, i === 0 ? [] : [2])
      lives.push(life)
      if (i === 0) await life.write(before)
      const steps = life.steps(batch)
      for (const step of steps.slice(0, within ? n - 1 : n)) await step.run()
      const call = within ? steps[n - 1]?.run() : undefined
      if (call !== undefined) late.push(call.catch(() => undefined))
    }
    const last = await place.life(3, [2])
    const batches = [before, place.batch(2, 1, 1, 2), place.batch(3, 1)]
    for (const batch of batches.slice(1)) await last.write(batch)
    await Promise.all(late)
    await place.expect(batches, 'after the redo')
    for (const life of lives) await life.close().catch(() => undefined)
    await last.close()
    await place.expect(batches, 'after the close')
    await place.expectNoLeftovers()
  }
}
