// Reads a file that must stay as it was when it was found.

import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, messageOf, StreamingError } from '../errors.ts'
import { type FileIdentity, identityOf } from './file-block.ts'

/** A file that is being read. Every call rejects with SOURCE_REPLAY_DIFFERS once the file differs
 * from what it was when it was found. */
export class OpenFile {
  readonly file: FileIdentity
  readonly #folder: string
  readonly #handle: FileHandle

  private constructor(folder: string, file: FileIdentity, handle: FileHandle) {
    this.#folder = folder
    this.file = file
    this.#handle = handle
  }

  /** Opens `file` of `folder`. Rejects with SOURCE_GAP if it is not there any more. */
  static async open(folder: string, file: FileIdentity): Promise<OpenFile> {
    let handle: FileHandle
    try {
      handle = await open(join(folder, file.path), 'r')
    } catch (cause) {
      throw codeOf(cause) === 'ENOENT' ? vanished(folder, file) : unreadable(folder, file, cause)
    }
    const opened = new OpenFile(folder, file, handle)
    try {
      await opened.mustBeUnchanged()
    } catch (error) {
      await opened.close()
      throw error
    }
    return opened
  }

  /** Reads the bytes from `from` to before `to`, all of them. */
  async read(from: number, to: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(to - from)
    let filled = 0
    while (filled < bytes.length) {
      const left = bytes.length - filled
      const { bytesRead } = await this.#calling(() =>
        this.#handle.read(bytes, filled, left, from + filled),
      )
      if (bytesRead === 0) throw changed(this.#folder, this.file, 'it is shorter now')
      filled += bytesRead
    }
    return bytes
  }

  async mustBeUnchanged(): Promise<void> {
    const now = identityOf(this.file.path, await this.#calling(() => this.#handle.stat()))
    if (now.size === this.file.size && now.mtimeMs === this.file.mtimeMs) return
    throw changed(this.#folder, this.file, `it has ${described(now)} now`)
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  async #calling<R>(call: () => Promise<R>): Promise<R> {
    try {
      return await call()
    } catch (cause) {
      throw unreadable(this.#folder, this.file, cause)
    }
  }
}

function described({ size, mtimeMs }: FileIdentity): string {
  return `${size} bytes of ${new Date(mtimeMs).toISOString()}`
}

function vanished(folder: string, file: FileIdentity): StreamingError {
  return new StreamingError(
    'SOURCE_GAP',
    `Cannot read file "${file.path}" of "${folder}" (${described(file)}): it is not there any ` +
      `more; bring it back as it was, or start with a new checkpoint to go on without it, and ` +
      `leave files in place until their batch is committed`,
  )
}

function changed(folder: string, file: FileIdentity, how: string): StreamingError {
  return new StreamingError(
    'SOURCE_REPLAY_DIFFERS',
    `Cannot read file "${file.path}" of "${folder}": it had ${described(file)} when it was ` +
      `found, and ${how}; write a file elsewhere and rename it into the folder when it is ` +
      `complete, and never change it there`,
  )
}

function unreadable(folder: string, file: FileIdentity, cause: unknown): StreamingError {
  return new StreamingError(
    'SOURCE_UNREACHABLE',
    `Cannot read file "${file.path}" of "${folder}": ${messageOf(cause)}; check its permissions ` +
      `and the disk`,
    { cause },
  )
}
