// Pipelines that tell in which thread their receiver runs, and whom a busy thread holds up.

import { threadId } from 'node:worker_threads'
import { type Batch, pipeline } from 'millrace'
import { customReceiver, textFiles } from 'millrace/sources'

const seen: unknown[] = []

/** What the driver saw since the last call. */
export function takeSeen(): unknown[] {
  return seen.splice(0)
}

async function see(batch: Batch<unknown>): Promise<void> {
  seen.push(...(await batch.collect()))
}

const options = { batchInterval: 20, checkpoint: false } as const

/** Where a record was received and mapped, and the receiver's time. */
export interface Whereabouts {
  readonly received: number
  readonly mapped: number
  readonly at: number
}

export const whereabouts = pipeline('whereabouts', options, (ssc) => {
  const source = customReceiver<[number, number]>('threads', (supervisor) => ({
    onStart: () => supervisor.store([threadId, supervisor.clock.wallMs()]),
  }))
  ssc
    .receive(source)
    .map(([received, at]): Whereabouts => ({ received, mapped: threadId, at }))
    .foreachBatch(see)
})

export const countedLines = pipeline('counted-lines', options, (ssc, folder: string) => {
  ssc
    .receive(textFiles(folder, { newFilesOnly: false, existingAgeMax: '1h' }))
    .flatMap((line) => line.split(' '))
    .map((word): [string, number] => [word, 1])
    .reduceByKey((a, b) => a + b)
    .foreachBatch(see)
})

/** Memory of all threads: one is busy until the other has done something. */
export interface Busy {
  readonly cells: Int32Array
  /** How often the busy one looks before it gives up. */
  readonly looksMax: number
}

const BUSY = 0
const DONE = 1

/** Holds its thread up until another one has noticed; false if it gives up. */
function isNoticed({ cells, looksMax }: Busy): boolean {
  Atomics.store(cells, BUSY, 1)
  for (let look = 0; look < looksMax; look++) if (Atomics.load(cells, DONE) === 1) return true
  return false
}

/** Takes turns of this thread's event loop until it sees that another thread is busy. */
export function notice({ cells }: Pick<Busy, 'cells'>): void {
  if (Atomics.load(cells, BUSY) === 1) Atomics.store(cells, DONE, 1)
  else setImmediate(notice, { cells })
}

/** The driver is busy; the receiver is to notice. */
export const busyDriver = pipeline('busy-driver', options, (ssc, busy: Busy) => {
  const source = customReceiver<number>('noticing', (supervisor) => ({
    onStart: async () => {
      await supervisor.store(1)
      notice(busy)
    },
  }))
  ssc.receive(source).foreachBatch(async (batch) => {
    if ((await batch.count()) > 0) seen.push(isNoticed(busy))
  })
})

/** The receiver is busy; the driver is to notice. */
export const busyReceiver = pipeline('busy-receiver', options, (ssc, busy: Busy) => {
  const source = customReceiver<boolean>('busy', (supervisor) => ({
    onStart: () => supervisor.store(isNoticed(busy)),
  }))
  ssc.receive(source).foreachBatch(see)
})

/** Ten records at once, which are too much for one batch. */
export const ten = pipeline('ten', { ...options, batchBytesMax: 50 }, (ssc) => {
  const source = customReceiver<string>('ten', (supervisor) => ({
    onStart: () => supervisor.storeAll(Array.from({ length: 10 }, (_, n) => `record ${n}`)),
  }))
  ssc.receive(source).foreachBatch(see)
})
