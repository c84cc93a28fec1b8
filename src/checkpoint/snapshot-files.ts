// The objects of snapshots, as a start finds them.

import { crc32 } from 'node:zlib'
import type { SnapshotRecord } from './format.ts'
import type { CheckpointStore } from './store.ts'

/** The names of all objects of the snapshots. */
export function namesOf(snapshots: readonly SnapshotRecord[]): string[] {
  return snapshots.flatMap(({ files }) => files.map(({ name }) => name))
}

/** Reads the objects of a snapshot; `damaged` names one that is not what it was. */
export async function readSnapshot(
  store: CheckpointStore,
  record: SnapshotRecord,
): Promise<{ readonly files: readonly Uint8Array[]; readonly damaged: string | undefined }> {
  const files: Uint8Array[] = []
  for (const { name, bytes, crc } of record.files) {
    const read = await store.read(name)
    const whole = read?.length === bytes && crc32(read) === crc
    if (!whole) return { files, damaged: name }
    files.push(read)
  }
  return { files, damaged: undefined }
}
