// A source whose batch i is the file i of a folder, from the first again after the last. It reads at
// the cut, so that reading is part of what is timed, as it is for the other contestants.

import type {
  Position,
  RangeData,
  Receiver,
  Source,
  SourceRange,
} from '../../src/receivers/receiver.ts'
import { batchFile } from '../input/input-files.ts'
import { LinesBlock } from '../input/lines-block.ts'
import { readPart } from '../input/read-part.ts'

/** Where the files are. */
export interface BatchFiles {
  readonly path: string
  readonly files: number
}

/** As Spark has it with two cores. */
const PARTITIONS = 2
const BLOCK_BYTES_MAX = 8 * 2 ** 20
const NEWLINE = 0x0a

/** Describes a replayable source of lines, two partitions a batch, in blocks of at most 8 MiB. */
export function batchFiles(folder: BatchFiles): Source<string> {
  return { name: 'batch-files', replayable: true, open: () => new FilesReceiver(folder) }
}

class FilesReceiver implements Receiver {
  readonly #folder: BatchFiles
  #next = 0

  constructor(folder: BatchFiles) {
    this.#folder = folder
  }

  start(from: Parameters<Receiver['start']>[0]): ReturnType<Receiver['start']> {
    this.#next = Math.max(0, ...from.map(({ position }) => indexOf(position)))
    const partitions = Array.from({ length: PARTITIONS }, (_, i) => partitionName(i))
    const position = positionOf(this.#next)
    return Promise.resolve(
      partitions.map((partition) => ({ partition, position, caughtUpAt: 0, parents: [] })),
    )
  }

  run(): void {
    // Reads at the cut.
  }

  cut(): RangeData[] {
    this.#next += 1
    return this.#dataOf(this.#next)
  }

  replay(ranges: readonly SourceRange[]): Promise<RangeData[]> {
    const data = ranges.flatMap(({ partition, upTo }) =>
      this.#dataOf(indexOf(upTo)).filter(({ range }) => range.partition === partition),
    )
    return Promise.resolve(data)
  }

  caughtUp(): boolean {
    return false
  }

  bufferedBytes(): number {
    return 0
  }

  lagMs(): undefined {
    return undefined
  }

  stop(): Promise<void> {
    return Promise.resolve()
  }

  /** Batch n, from 1 on. */
  #dataOf(batch: number): RangeData[] {
    const path = batchFile(this.#folder.path, (batch - 1) % this.#folder.files)
    return Array.from({ length: PARTITIONS }, (_, i) => {
      const blocks = blocksOf(readPart(path, i, PARTITIONS))
      const range = {
        partition: partitionName(i),
        after: positionOf(batch - 1),
        upTo: positionOf(batch),
        records: blocks.reduce((records, block) => records + block.length, 0),
        // Only a log asks for it.
        get crc() {
          return blocks.reduce((before, block) => block.crc(before), 0)
        },
        caughtUpAt: 0,
        parents: [],
      }
      return { range, blocks }
    })
  }
}

function blocksOf(lines: Buffer): LinesBlock[] {
  const blocks: LinesBlock[] = []
  for (let start = 0; start < lines.length; ) {
    const aim = start + BLOCK_BYTES_MAX
    const end = aim >= lines.length ? lines.length : lines.lastIndexOf(NEWLINE, aim - 1) + 1
    blocks.push(new LinesBlock(lines.subarray(start, end)))
    start = end
  }
  return blocks
}

function partitionName(index: number): string {
  return `part-${index}`
}

function positionOf(batch: number): Position {
  return { kind: 'sequence', sequence: String(batch), sub: -1 }
}

function indexOf(position: Position): number {
  return position.kind === 'sequence' ? Number(position.sequence) : 0
}
