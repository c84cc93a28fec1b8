// The objects of snapshots, as a start finds them.

import { crc32 } from 'node:zlib'
import type { SnapshotFile, SnapshotRecord } from './format.ts'
import type { CheckpointStore } from './store.ts'

/** Objects of a snapshot that are read at once. Over a network one at a time takes as many round
 * trips as there are objects, and a successor that reads gives no results. */
const READS_MAX = 8

/** Bytes of them. An object may be larger than others: it holds at least one key. */
const READ_BYTES_MAX = 64 * 2 ** 20

/** The names of all objects of the snapshots. */
export function namesOf(snapshots: readonly SnapshotRecord[]): string[] {
  return snapshots.flatMap(({ files }) => files.map(({ name }) => name))
}

/** Reads the objects of a snapshot, several at once; `damaged` names the first one that is not what
 * it was. Rejects with the reason of `signal` once it aborts. */
export async function readSnapshot(
  store: Pick<CheckpointStore, 'read'>,
  { files }: Pick<SnapshotRecord, 'files'>,
  signal?: AbortSignal,
): Promise<{ readonly files: readonly Uint8Array[]; readonly damaged: string | undefined }> {
  const whole: (Uint8Array | undefined)[] = []
  const underWay = new Set<Promise<void>>()
  let bytesUnderWay = 0
  let isDamaged = false
  const read = async (index: number, file: SnapshotFile): Promise<void> => {
    whole[index] = await readWhole(store, file)
    isDamaged ||= whole[index] === undefined
    bytesUnderWay -= file.bytes
  }
  for (const [index, file] of files.entries()) {
    while (underWay.size > 0 && !hasRoom(underWay.size, bytesUnderWay + file.bytes)) {
      await Promise.race(underWay)
    }
    if (isDamaged || signal?.aborted === true) break
    bytesUnderWay += file.bytes
    const reading = read(index, file)
    underWay.add(reading)
    reading.then(() => underWay.delete(reading)).catch(() => undefined)
  }
  await Promise.all(underWay)
  signal?.throwIfAborted()
  const damaged = files.find((_file, index) => whole[index] === undefined)?.name
  return { files: whole.filter((bytes) => bytes !== undefined), damaged }
}

function hasRoom(reads: number, bytes: number): boolean {
  return reads < READS_MAX && bytes <= READ_BYTES_MAX
}

async function readWhole(
  store: Pick<CheckpointStore, 'read'>,
  { name, bytes, crc }: SnapshotFile,
): Promise<Uint8Array | undefined> {
  const read = await store.read(name)
  return read?.length === bytes && crc32(read) === crc ? read : undefined
}
