// A source whose batches can be made again from their number: the text of each partition is read or
// made at the cut, so that this is part of what is timed, as it is for the other contestants.

import { Lines } from '../../src/batch/lines.ts'
import type {
  Position,
  RangeData,
  Receiver,
  Source,
  SourceRange,
} from '../../src/receivers/receiver.ts'
import { LinesBlock } from '../input/lines-block.ts'

/** Gives the blocks of a partition of batch n, from 1 on: lines, each with its newline. */
export type PartOf = (batch: number, part: number) => readonly Uint8Array[]

/** As Spark has it with two cores. */
export const PARTITIONS = 2

/** Describes a replayable source of lines, two partitions a batch. */
export function partsSource(name: string, partOf: PartOf): Source<string> {
  const { fromParcel } = LinesBlock
  const source = { name, replayable: true, open: () => new PartsReceiver(partOf), fromParcel }
  return source
}

class PartsReceiver implements Receiver {
  readonly #partOf: PartOf
  #batch = 0

  constructor(partOf: PartOf) {
    this.#partOf = partOf
  }

  start(from: Parameters<Receiver['start']>[0]): ReturnType<Receiver['start']> {
    this.#batch = Math.max(0, ...from.map(({ position }) => batchOf(position)))
    const partitions = Array.from({ length: PARTITIONS }, (_, i) => partitionName(i))
    const position = positionOf(this.#batch)
    return Promise.resolve(
      partitions.map((partition) => ({ partition, position, caughtUpAt: 0, parents: [] })),
    )
  }

  run(): void {
    // Reads at the cut.
  }

  cut(): RangeData[] {
    this.#batch += 1
    return this.#dataOf(this.#batch)
  }

  replay(ranges: readonly SourceRange[]): Promise<RangeData[]> {
    const data = ranges.flatMap(({ partition, upTo }) =>
      this.#dataOf(batchOf(upTo)).filter(({ range }) => range.partition === partition),
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

  #dataOf(batch: number): RangeData[] {
    return Array.from({ length: PARTITIONS }, (_, i) => {
      const blocks = this.#partOf(batch, i).map((bytes) => new LinesBlock(new Lines(bytes)))
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

function partitionName(index: number): string {
  return `part-${index}`
}

function positionOf(batch: number): Position {
  return { kind: 'sequence', sequence: String(batch), sub: -1 }
}

function batchOf(position: Position): number {
  return position.kind === 'sequence' ? Number(position.sequence) : 0
}
