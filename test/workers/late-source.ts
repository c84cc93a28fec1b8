// A written source that counts its cuts itself: batches that are late are cut ahead of their run.

import { scriptedSource } from 'millrace/testing'

const PARTITIONS = 3

/** Batch i of the script is what the i-th cut takes, in three partitions; it can be read again. */
export function lateSource(script: readonly (readonly unknown[])[]) {
  const scripted = (position: { batchId: number }) =>
    scriptedSource('late', script, PARTITIONS, position, { blockSeed: 7 })
  return {
    ...scripted({ batchId: 0 }),
    open(context: Parameters<ReturnType<typeof scripted>['open']>[0]) {
      const position = { batchId: 0 }
      const receiver = scripted(position).open(context)
      return {
        ...receiver,
        cut(...limits: Parameters<typeof receiver.cut>) {
          position.batchId += 1
          return receiver.cut(...limits)
        },
      }
    },
  }
}
