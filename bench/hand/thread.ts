// One of the two threads of a hand-written loop: it reads and decodes its half of each batch.

import { parentPort, workerData } from 'node:worker_threads'
import { batchFile } from '../input/input-files.ts'
import { readTexts } from '../input/read-part.ts'
import { type Columns, THREADS } from './hand-loop.ts'
import { handOf } from './hands.ts'
import type { ThreadTask } from './two-threads.ts'

const { workload, inputs, self, peer } = workerData as ThreadTask
const half = handOf(workload).half(
  self,
  inputs.map(({ path }) => path),
)

/** What the other thread has sent, and who waits for it. */
const arrived: (readonly Columns[])[] = []
let waiting: ((columns: readonly Columns[]) => void) | undefined

peer.on('message', (columns: readonly Columns[]) => {
  if (waiting === undefined) arrived.push(columns)
  else waiting(columns)
  waiting = undefined
})

parentPort?.on('message', (index: number) => void run(index))

async function run(index: number): Promise<void> {
  const texts = inputs.map(({ path, files }) =>
    readTexts(batchFile(path, index % files), self, THREADS),
  )
  const columns = half.scatter(texts)
  if (columns !== undefined) {
    peer.postMessage(
      columns,
      columns.map(({ values }) => values.buffer),
    )
  }
  parentPort?.postMessage(half.gather(columns === undefined ? [] : await fromPeer()))
}

function fromPeer(): Promise<readonly Columns[]> {
  const columns = arrived.shift()
  if (columns !== undefined) return Promise.resolve(columns)
  return new Promise((resolve) => {
    waiting = resolve
  })
}
