// A receiver of one's own whose supervisor is in the hands of the test.

import {
  type CustomReceiverOptions,
  customReceiver,
  type ReceiverHooks,
  type ReceiverSupervisor,
} from 'millrace/sources'
import type { ManualClock } from 'millrace/testing'
import { OpenedSource } from './opened-source.ts'

/** Lets everything that needs no clock go on. */
export const settled = () => new Promise((resolve) => setImmediate(resolve))

export interface Opened<T> {
  readonly source: OpenedSource
  readonly supervisor: ReceiverSupervisor<T>
  readonly calls: string[]
}

/** Opens a receiver that notes its calls, and gives its supervisor to the test. */
export async function openCustom<T>(
  clock: ManualClock,
  options: CustomReceiverOptions & { readonly bufferBytesMax?: number } = {},
  hooks: Partial<ReceiverHooks> = {},
): Promise<Opened<T>> {
  const calls: string[] = []
  let supervisor: ReceiverSupervisor<T> | undefined
  const { bufferBytesMax, ...custom } = options
  const description = customReceiver<T>(
    'custom',
    (given) => {
      supervisor = given
      return {
        onStart: () => {
          calls.push('onStart')
          return hooks.onStart?.()
        },
        onStop: () => {
          calls.push('onStop')
          return hooks.onStop?.()
        },
      }
    },
    custom,
  )
  const bound = bufferBytesMax === undefined ? {} : { bufferBytesMax }
  const source = await OpenedSource.start(description, { clock, ...bound })
  return { source, supervisor: supervisor as ReceiverSupervisor<T>, calls }
}
