// The records of a piece of a file.

import type { ByteRecords } from '../batch/lines.ts'
import { RecordsBlock, type RecordsBlockParcel, recordsOfParcel } from './records-block.ts'

/** What a file was when it was found. A file that differs in any of this has changed. */
export interface FileIdentity {
  /** From the folder that the source was given, or from the part of it before the first wildcard;
   * with `/` between names. */
  readonly path: string
  readonly size: number
  /** When it was last modified, whole epoch milliseconds. */
  readonly mtimeMs: number
}

/** Gives the part of a file's status that tells whether it has changed. */
export function identityOf(
  path: string,
  status: { readonly size: number; readonly mtimeMs: number },
): FileIdentity {
  return { path, size: status.size, mtimeMs: Math.floor(status.mtimeMs) }
}

/** Bytes of a file, from `from` to before `to`. */
export interface FilePiece {
  readonly from: number
  readonly to: number
}

/** Where a block's records are in its file. */
export interface FileBlockPlace extends FilePiece {
  readonly file: FileIdentity
  /** Which byte of the file the first byte of the records is. */
  readonly base: number
}

/** Consecutive records of one file. It stands for all bytes from `from` to before `to`, those of
 * dropped records too. */
export class FileBlock<T> extends RecordsBlock<T> {
  readonly place: FileBlockPlace

  constructor(place: FileBlockPlace, records: ByteRecords<T>, start = 0, end = records.length) {
    super({ records, start, end })
    this.place = place
  }

  /** A block that came from another thread. */
  static fromParcel(content: unknown): FileBlock<unknown> {
    const { place, records } = content as RecordsBlockParcel
    return new FileBlock(place as FileBlockPlace, recordsOfParcel(records).records)
  }

  positionAt(index: number): string {
    return `${this.place.file.path}, byte ${this.#fileByteOf(index)}`
  }

  slice(start: number, end: number): FileBlock<T> {
    const from = start === 0 ? this.place.from : this.#fileByteOf(start)
    const to = end === this.length ? this.place.to : this.#fileByteOf(end)
    const part = this.partOf(start, end)
    return new FileBlock({ ...this.place, from, to }, part.records, part.start, part.end)
  }

  protected placeOfParcel(): FileBlockPlace {
    return { ...this.place, base: this.#fileByteOf(0) }
  }

  #fileByteOf(index: number): number {
    return this.place.base + this.byteOf(index)
  }
}
