// A receiver whose onStop waits for a loop that waits for room: somebody has to let it go.

import { type Batch, pipeline } from 'millrace'
import { customReceiver, type ReceiverSupervisor } from 'millrace/sources'

/** Larger than the buffer: as soon as one record is in it, the next one waits. */
const RECORD = 'x'.repeat(2_000)

function storesForEver(supervisor: ReceiverSupervisor<string>) {
  let isStopping = false
  let loop: Promise<void> | undefined
  const store = async (): Promise<void> => {
    while (!isStopping) await supervisor.store(RECORD)
  }
  return {
    onStart() {
      loop = store()
      loop.catch(() => undefined)
    },
    onStop() {
      isStopping = true
      return loop?.catch(() => undefined)
    },
  }
}

const options = { batchInterval: 1_000, checkpoint: false, bufferBytesMax: 1_000 } as const

/** What the run is to end by. */
export type Ending = 'a failing sink' | 'a stop'

export const endless = pipeline('endless', options, (ssc, ending: Ending) => {
  const stored = ssc.receive(customReceiver('endless', storesForEver))
  stored.foreachBatch(async (batch: Batch<string>) => {
    const records = await batch.count()
    if (ending === 'a failing sink' && records > 0) throw new RangeError('the sink is gone')
  })
})
