// What a receiver stores, on its way into a batch: first it waits for room and for its turn at the
// rate, then it is in the buffer, then a batch takes it. Order is kept.
//
// Both waiting places have a bound of their own. A store that finds the buffer full waits; one that
// finds too many waiting is refused, since whoever made those did not wait for them.

import { assert } from '../assert.ts'
import type { Cancel, Clock } from '../clock.ts'
import { StreamingError } from '../errors.ts'
import { BlockBuffer, ByteBound, type TakeLimits, weightOf } from './block-buffer.ts'
import { BlockBuilder, NumberedBlock, type RecordsOf } from './numbered-block.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { Position, RangeData } from './receiver.ts'
import type { Frames } from './records-block.ts'

/** What a queue works with. */
export interface StoreQueueParts<T> {
  readonly clock: Clock
  readonly limiter: RateLimiter
  /** Bytes that may be in the buffer, and as many again, of 10,000 stores, may wait for it. */
  readonly bytesMax: number
  /** What messages call the receiver. */
  readonly name: string
  /** Name of the partition in ranges. */
  readonly partition: string
  readonly recordsOf: RecordsOf<T>
}

interface WaitingStore {
  readonly frames: Frames
  /** Of the frames, how many are in the buffer. */
  entered: number
  readonly resolve: () => void
}

const BLOCK_BYTES_MAX = 1_048_576
const STORES_WAITING_MAX = 10_000
const AT_ONCE = Promise.resolve()

/** The records of one receiver that no batch has taken. */
export class StoreQueue<T> {
  readonly #parts: StoreQueueParts<T>
  readonly #bound: ByteBound
  readonly #buffer: BlockBuffer<NumberedBlock<T>>
  readonly #builder = new BlockBuilder()
  readonly #waiting: WaitingStore[] = []
  #waitingBytes = 0
  /** Records that were put into blocks, since the beginning of the partition. */
  #built = 0
  #taken = 0
  /** Cancels the wait for the rate, or is set while there is a wait for room. */
  #wait: Cancel | undefined

  constructor(parts: StoreQueueParts<T>) {
    this.#parts = parts
    this.#bound = new ByteBound(parts.bytesMax)
    this.#buffer = new BlockBuffer(this.#bound)
  }

  /** Bytes in the buffer and before it. */
  get bytes(): number {
    return this.#bound.bytes + this.#waitingBytes
  }

  /** Goes on after a position that `take` gave in an earlier run. */
  resume(position: Position): void {
    assert(position.kind === 'sequence', 'The position of a receiver is a number of records')
    this.#built = Number(position.sequence)
    this.#taken = this.#built
  }

  /** The position of what was taken. */
  get position(): Position {
    return { kind: 'sequence', sequence: String(this.#taken), sub: -1 }
  }

  /** Stores records. Resolves once they are in the buffer: the next ones are to wait for that.
   * Throws BUFFER_FULL, and stores nothing, if more waits already than the buffer may hold. */
  store(frames: Frames): Promise<void> {
    const count = frames.starts.length - 1
    if (this.#waiting.length === 0 && this.#bound.bytes < this.#parts.bytesMax) {
      const entered = this.#parts.limiter.grant(count)
      this.#enter(frames, 0, entered)
      return entered === count ? AT_ONCE : this.#waitInLine(frames, entered)
    }
    const { bytesMax } = this.#parts
    const isFull = this.#waitingBytes >= bytesMax || this.#waiting.length >= STORES_WAITING_MAX
    if (isFull) throw this.#full()
    return this.#waitInLine(frames, 0)
  }

  /** Looks again at what waits: the rate has changed. */
  retry(): void {
    this.#wait?.()
    this.#goOn()
  }

  /** Lets all that waits into the buffer at once, whatever bound and rate say. */
  flush(): void {
    this.#wait?.()
    this.#wait = undefined
    for (const store of this.#waiting.splice(0)) {
      this.#enter(store.frames, store.entered, store.frames.starts.length - 1)
      store.resolve()
    }
    this.#waitingBytes = 0
  }

  /** Takes the oldest records as one range; nothing if there are none. */
  take(limits: TakeLimits): RangeData[] {
    this.#buildBlock()
    const blocks = this.#buffer.take(limits, (block, start, end) => block.slice(start, end))
    if (blocks.length === 0) return []
    const after = this.position
    const records = blocks.reduce((n, block) => n + block.length, 0)
    this.#taken += records
    const crc = blocks.reduce((before, block) => block.crc(before), 0)
    const { partition, clock } = this.#parts
    const caughtUpAt = clock.wallMs()
    const range = { partition, after, upTo: this.position, records, crc, caughtUpAt, parents: [] }
    return [{ range, blocks }]
  }

  #waitInLine(frames: Frames, entered: number): Promise<void> {
    this.#waitingBytes += frames.bytes.length
    return new Promise((resolve) => {
      this.#waiting.push({ frames, entered, resolve })
      this.#letIn()
    })
  }

  /** Lets in what may come in now, and waits for what keeps the next one out. */
  #letIn(): void {
    if (this.#wait !== undefined) return
    const { clock, limiter, bytesMax } = this.#parts
    for (let store = this.#waiting[0]; store !== undefined; store = this.#waiting[0]) {
      if (this.#bound.bytes >= bytesMax) {
        this.#waitForRoom()
        return
      }
      const left = store.frames.starts.length - 1 - store.entered
      const granted = limiter.grant(left)
      this.#enter(store.frames, store.entered, store.entered + granted)
      store.entered += granted
      if (granted < left) {
        this.#wait = clock.after(limiter.waitMs, () => this.#goOn())
        return
      }
      this.#waiting.shift()
      this.#waitingBytes -= store.frames.bytes.length
      store.resolve()
    }
  }

  #waitForRoom(): void {
    let cancelled = false
    this.#wait = () => {
      cancelled = true
    }
    void this.#bound.room().then(() => {
      if (!cancelled) this.#goOn()
    })
  }

  #goOn(): void {
    this.#wait = undefined
    this.#letIn()
  }

  #enter(frames: Frames, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const end = fittingEnd(frames, at, to, BLOCK_BYTES_MAX - this.#builder.bytes)
      const before = weightOf(this.#builder)
      this.#builder.add(frames, at, end)
      this.#bound.add(weightOf(this.#builder) - before)
      if (this.#builder.bytes >= BLOCK_BYTES_MAX) this.#buildBlock()
      at = end
    }
  }

  #buildBlock(): void {
    if (this.#builder.length === 0) return
    this.#bound.add(-weightOf(this.#builder))
    const block = NumberedBlock.of(this.#parts.recordsOf(this.#builder.build()), this.#built)
    this.#built += block.length
    this.#buffer.push(block)
  }

  #full(): StreamingError {
    const { name, bytesMax } = this.#parts
    return new StreamingError(
      'BUFFER_FULL',
      `Cannot store a record in receiver "${name}": ${this.#waiting.length} stores of ` +
        `${this.#waitingBytes} bytes wait for room in its buffer, and at most ` +
        `${STORES_WAITING_MAX} stores or ${bytesMax} bytes (bufferBytesMax) may; wait for the ` +
        `promise that store() gives before the next one`,
    )
  }
}

/** The end of the records from `from` on that reach `bytes`: at least one, at most up to `to`. */
function fittingEnd({ starts }: Frames, from: number, to: number, bytes: number): number {
  const reached = (starts[from] as number) + bytes
  let end = from + 1
  while (end < to && (starts[end] as number) < reached) end += 1
  return end
}
