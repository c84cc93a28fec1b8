// The bytes of a snapshot's objects: a mark, then entries, each after its length. docs/format.md.

/** The first bytes of an object of a snapshot. */
const MAGIC = Buffer.from([0x8d, 0x4d, 0x4c, 0x53])
const LENGTH_BYTES = 4

/** Gives an object that holds the entries. */
export function toSnapshotFile(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = entries.reduce((n, entry) => n + LENGTH_BYTES + entry.length, MAGIC.length)
  const file = Buffer.allocUnsafeSlow(bytes)
  MAGIC.copy(file)
  let at = MAGIC.length
  for (const entry of entries) {
    at = file.writeUInt32BE(entry.length, at)
    file.set(entry, at)
    at += entry.length
  }
  return file
}

/** Gives the entries of an object, as views of it. Its checksum was compared before. */
export function* snapshotEntries(file: Uint8Array): Generator<Uint8Array, void> {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  let at = MAGIC.length
  while (at < bytes.length) {
    const end = at + LENGTH_BYTES + bytes.readUInt32BE(at)
    yield bytes.subarray(at + LENGTH_BYTES, end)
    at = end
  }
}
