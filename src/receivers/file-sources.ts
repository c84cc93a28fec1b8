import { oneOf, wholeWithin } from '../allowed-values.ts'
import { type Duration, positiveDurationMs } from '../duration.ts'
import { ConfigError } from '../errors.ts'
import { FileBlock } from './file-block.ts'
import {
  FILE_BLOCK_BYTES_MAX,
  type FileFormat,
  fixedFormat,
  lineFormat,
  wholeFormat,
} from './file-format.ts'
import { FilesReceiver, type FilesSettings } from './files-receiver.ts'
import { folderPattern, wildcardExpression } from './folder-scan.ts'
import { ON_LONG_LINE } from './line-splitter.ts'
import type { Source } from './receiver.ts'

/** Which files of a folder are read. */
export interface FilesOptions {
  /** Says which files are read, by their path from the folder (or from the part of it before the
   * first wildcard). It is not asked about names that begin with a dot or an underscore.
   * @default all files */
  readonly filter?: (path: string) => boolean
  /** Ignores the files that are there when the pipeline first starts. False reads those that were
   * modified within `existingAgeMax`. @default true */
  readonly newFilesOnly?: boolean
  /** How long after its last modification a file may appear, and how long it is remembered after
   * it was read; an older one is ignored. Longer costs memory, and bytes of the checkpoint for
   * each batch. @default '60s' */
  readonly remember?: Duration
  /** With `newFilesOnly: false`: how old a file may be that is there when the pipeline first
   * starts; costs no memory. @default the value of `remember` */
  readonly existingAgeMax?: Duration
  /** Files that are remembered at once; at the bound each batch takes one new file. @default
   * 10,000 */
  readonly rememberedFilesMax?: number
}

/** As FilesOptions, for files of text. */
export interface TextFilesOptions extends FilesOptions {
  /** Bytes that a line may have, without its ending; at most 8 MiB − 2. @default 1 MiB */
  readonly lineBytesMax?: number
  /** What a longer line does: stop the pipeline with RECORD_INVALID, or be dropped and counted as
   * `lines-dropped`. @default 'stop' */
  readonly onLongLine?: 'stop' | 'drop'
}

/** As FilesOptions, for files that are one record each. */
export interface BinaryFilesOptions extends FilesOptions {
  /** Bytes that a file may have; a longer one stops the pipeline with RECORD_INVALID.
   * @default 64 MiB */
  readonly fileBytesMax?: number
}

/** As FilesOptions, for files of records of one length. */
export interface BinaryRecordsOptions extends FilesOptions {
  /** Bytes of each record, at most 8 MiB. */
  readonly recordBytes: number
}

const MIB = 1_048_576

/** The lines of the files that appear in a folder: Spark's `textFileStream`.
 *
 * `folder` is a folder, or a pattern of folders with `*`, `?`, `[abc]` and `{one,two}`, such as
 * `/data/*`; it is relative to the working directory. Files directly in it are read, each once, in
 * the order of their modification. Write a file elsewhere and rename it into the folder when it is
 * complete, and do not change it there. Replayable: a file must stay until its batch is committed.
 *
 * Lines are UTF-8 and end with `\n` or `\r\n`. Throws ConfigError for options that cannot work. The
 * start rejects with SOURCE_UNREACHABLE without the folder; a file that vanished before it was read
 * stops the pipeline with SOURCE_GAP, and one that changed with SOURCE_REPLAY_DIFFERS.
 *
 * @example
 * ```ts
 * const source = textFiles('./incoming', { filter: (path) => path.endsWith('.log') })
 * assert.equal(source.name, 'textFiles:./incoming')
 * assert.equal(source.replayable, true)
 * ```
 */
export function textFiles(folder: string, options: TextFilesOptions = {}): Source<string> {
  const { lineBytesMax = MIB } = options
  wholeWithin(lineBytesMax, 'lineBytesMax', 1, FILE_BLOCK_BYTES_MAX - 2)
  const onLongLine = oneOf(options.onLongLine ?? 'stop', ON_LONG_LINE, 'onLongLine')
  return filesSource('textFiles', folder, options, (dropped) =>
    lineFormat({ lineBytesMax, onLongLine, dropped }),
  )
}

/** The files that appear in a folder, each as one record: its bytes. As `textFiles` otherwise.
 *
 * @example
 * ```ts
 * const source = binaryFiles('./images', { fileBytesMax: 1_000_000 })
 * assert.equal(source.name, 'binaryFiles:./images')
 * ```
 */
export function binaryFiles(folder: string, options: BinaryFilesOptions = {}): Source<Uint8Array> {
  const fileBytesMax = options.fileBytesMax ?? 64 * MIB
  wholeWithin(fileBytesMax, 'fileBytesMax', 1, 1_024 * MIB)
  return filesSource('binaryFiles', folder, options, () => wholeFormat(fileBytesMax))
}

/** The records of the files that appear in a folder, where each record has `recordBytes` bytes:
 * Spark's `binaryRecordsStream`. As `textFiles` otherwise; a file whose length is no multiple of
 * `recordBytes` stops the pipeline with RECORD_INVALID.
 *
 * @example
 * ```ts
 * const source = binaryRecords('./samples', { recordBytes: 16 })
 * assert.equal(source.name, 'binaryRecords:./samples')
 * ```
 */
export function binaryRecords(folder: string, options: BinaryRecordsOptions): Source<Uint8Array> {
  const { recordBytes } = options
  wholeWithin(recordBytes, 'recordBytes', 1, FILE_BLOCK_BYTES_MAX)
  return filesSource('binaryRecords', folder, options, () => fixedFormat(recordBytes))
}

function filesSource<T>(
  name: string,
  folder: string,
  options: FilesOptions,
  format: (dropped: () => void) => FileFormat<T>,
): Source<T> {
  const settings: FilesSettings<T> = { ...filesSettings(folder, options), format }
  return {
    name: `${name}:${folder}`,
    replayable: true,
    open: (context) => new FilesReceiver(settings, context),
    fromParcel: (content) => FileBlock.fromParcel(content) as FileBlock<T>,
  }
}

function filesSettings(
  folder: string,
  options: FilesOptions,
): Omit<FilesSettings<unknown>, 'format'> {
  checkFolder(folder)
  const rememberMs = positiveDurationMs(options.remember ?? '60s', 'remember')
  const existingAgeMaxMs = positiveDurationMs(
    options.existingAgeMax ?? rememberMs,
    'existingAgeMax',
  )
  const newFilesOnly = options.newFilesOnly ?? true
  if (newFilesOnly && options.existingAgeMax !== undefined) {
    throw new ConfigError(
      'Cannot use existingAgeMax: with newFilesOnly no existing file is read; set newFilesOnly ' +
        'to false, or leave existingAgeMax out',
    )
  }
  const rememberedFilesMax = options.rememberedFilesMax ?? 10_000
  wholeWithin(rememberedFilesMax, 'rememberedFilesMax', 1, 1_000_000)
  const filter = options.filter ?? (() => true)
  return { folder, filter, newFilesOnly, rememberMs, existingAgeMaxMs, rememberedFilesMax }
}

function checkFolder(folder: string): void {
  if (typeof folder !== 'string' || folder === '') {
    throw new ConfigError(`Cannot read files of folder ${JSON.stringify(folder)}: give its path`)
  }
  try {
    for (const name of folderPattern(folder).names) wildcardExpression(name)
  } catch (cause) {
    throw new ConfigError(
      `Cannot read files of folders "${folder}": a pattern may have *, ?, [abc], [a-c], [!abc] ` +
        `and {one,two}`,
      { cause },
    )
  }
}
