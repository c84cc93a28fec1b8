// A start of a written pipeline as far as its log goes: what it recovers, without the batches after
// it. The rest of a start is a function of what it recovers.

import { createHash } from 'node:crypto'
import { ManualClock, quietLogger } from 'millrace/testing'
import { type Opening, scanSlot, slotOf } from '../../src/checkpoint/format.ts'
import { BatchLog, type Recovered } from '../../src/checkpoint/log.ts'
import { systemProbe } from '../../src/checkpoint/owner.ts'
import { openingOf } from '../../src/checkpoint/recovery.ts'
import type { CheckpointStore } from '../../src/checkpoint/store.ts'
import type { Life } from './lives.ts'

/** The owner before lives: it is this process. */
const HOST = { ...systemProbe(), isAlive: () => true }

/** What a start recovered. */
export interface Opened {
  /** A life that ended there. */
  readonly life: Life
  /** The same for what is the same to the byte; undefined if the start was refused. */
  readonly digest: string | undefined
}

/** Opens the log of a checkpoint, whoever holds it, at `wallMs` of a clock. Never rejects. */
export async function openLog(
  store: CheckpointStore,
  { pipeline, batchIntervalMs, planHash, stateful, sources = [], outputs = [] }: Opening,
  wallMs: number,
): Promise<Opened> {
  const warnings: string[] = []
  const warn = (_fields: object, text: string) => void warnings.push(text)
  const common = { redone: [], last: 0, warnings, error: undefined, died: false }
  try {
    const { recovered } = await BatchLog.open({
      store,
      pipeline,
      batchIntervalMs,
      planHash,
      stateful,
      sources,
      outputs,
      zeroTime: () => wallMs,
      takeover: 'force',
      clock: new ManualClock(wallMs),
      logger: { ...quietLogger, warn },
      host: HOST,
    })
    const redone = recovered.redo.map(({ batchId }) => batchId)
    const life = { ...common, recovered: recovered.lastBatchId, redone }
    return { life, digest: digestOf(recovered) }
  } catch (error) {
    return { life: { ...common, recovered: undefined, error }, digest: undefined }
  }
}

function digestOf({ snapshot, changes, warnings, cutBytes: _, ...rest }: Recovered): string {
  const hash = createHash('sha256')
  const maps = [[...rest.positions], [...rest.accumulators]]
  const ids = changes.map(({ batchId, time }) => [batchId, time])
  hash.update(JSON.stringify([rest, maps, ids, snapshot?.batchId, warnings.length]))
  for (const bytes of snapshot?.files ?? []) hash.update(bytes)
  for (const entry of changes) hash.update(entry.changes)
  return hash.digest('hex')
}

/** What the newest run of a checkpoint declared. */
export function newestOpeningOf(objects: ReadonlyMap<string, Uint8Array>): Opening {
  for (const [name, bytes] of [...objects].reverse()) {
    const slot = slotOf(name)
    const opening = slot === undefined ? undefined : openingOf(scanSlot(slot, bytes))
    if (opening !== undefined) return opening
  }
  throw new Error('A checkpoint was opened by somebody')
}
