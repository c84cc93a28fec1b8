// What a start says of damage in a checkpoint: each names the object.

import { StreamingError } from '../errors.ts'
import { type Place, SLOTS, type SnapshotRecord, slotName } from './format.ts'
import type { CheckpointStore } from './store.ts'

/** An object of a snapshot, whether or not the log names it. */
export interface Begun {
  readonly name: string
  readonly batchId: number
}

/** A torn tail. */
export function cutMessage(store: CheckpointStore, slot: number, bytes: number): string {
  return (
    `Cut ${bytes} bytes from the end of "${slotName(slot)}" in checkpoint "${store.location}": ` +
    `its last record was not whole, as after a crash; going on from the record before it`
  )
}

/** Damage that a later snapshot makes up for. */
export function damageMessage(store: CheckpointStore, at: Place, snapshot: SnapshotRecord): string {
  return (
    `Passed over damage at byte ${at.offset} of "${slotName(at.slot)}" in checkpoint ` +
    `"${store.location}": the snapshot of batch ${snapshot.batchId} is later and whole, so ` +
    `nothing is lost; check the disk`
  )
}

/** A snapshot that is not what it was. */
export function snapshotMessage(store: CheckpointStore, name: string, batchId: number): string {
  return (
    `Passed over snapshot "${name}" of batch ${batchId} in checkpoint "${store.location}": it is ` +
    `missing or its checksum differs; going back to the one before and the log after it, so ` +
    `nothing ` +
    `is lost; check the disk`
  )
}

/** Damage that nothing makes up for. */
export function corrupt(store: CheckpointStore, { slot, offset }: Place): StreamingError {
  return new StreamingError(
    'CHECKPOINT_CORRUPT',
    `Cannot read checkpoint "${store.location}": "${slotName(slot)}" is damaged or missing ` +
      `at byte ` +
      `${offset}, and no later snapshot makes up for it; restore the object from a backup, ` +
      `or use ` +
      `another folder to start from nothing`,
  )
}

/** No snapshot is whole, and the log does not go back to its beginning. */
export function noSnapshotLeft(store: CheckpointStore, damaged: readonly string[]): StreamingError {
  const names = damaged.map((name) => `"${name}"`).join(', ')
  return new StreamingError(
    'CHECKPOINT_CORRUPT',
    `Cannot read checkpoint "${store.location}": one of its snapshots must be whole, got ` +
      `${names === '' ? 'none' : `damage at byte 0 of ${names}`}; restore one from a backup, ` +
      `or use ` +
      `another folder to start from nothing`,
  )
}

/** The log ends before a batch that it must have known. */
export function lostEnd(
  store: CheckpointStore,
  {
    begun,
    known,
    slot,
  }: {
    readonly begun: Begun
    /** The newest batch that the log knows of. */
    readonly known: number
    /** The newest slot. */
    readonly slot: number | undefined
  },
): StreamingError {
  const end = slot === undefined ? `"${SLOTS}" has no object` : `"${slotName(slot)}" is the last`
  return new StreamingError(
    'CHECKPOINT_CORRUPT',
    `Cannot read checkpoint "${store.location}": its log must reach batch ${begun.batchId}, of ` +
      `which there is "${begun.name}", and ${end} and it ends with batch ${known}; restore the ` +
      `log from a backup, or use another folder to start from nothing`,
  )
}
