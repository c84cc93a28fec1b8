// Sequence numbers as the service makes them (version 2): a number of 47 hexadecimal digits,
// written in decimal. All of them have 56 decimal digits, so their texts compare as the numbers do.
//
//   2 | creation of the shard, s (9) | shard (1) | counter (16) | 00 | time, s (9) | shard (8) | 2

/** What one shard puts into each of its sequence numbers. */
export interface ShardStamp {
  /** When the shard was created, epoch seconds. */
  readonly createdSecs: number
  /** The number in the id of the shard. */
  readonly shardIndex: number
}

/** What a sequence number says. */
export interface SequenceParts extends ShardStamp {
  readonly counter: bigint
  readonly secs: number
}

/** The counter of a shard's last sequence number, which is given to no record. */
export const LAST_COUNTER = 0x7fff_ffff_ffff_ffffn

const VERSION = 2n
const SECS_BITS = 36n
const SHARD_BITS = 32n
const VERSION_BITS = 4n
const TIME_AT = VERSION_BITS + SHARD_BITS
const COUNTER_AT = TIME_AT + SECS_BITS + 8n
const LOW_SHARD_AT = COUNTER_AT + 64n
const CREATED_AT = LOW_SHARD_AT + 4n
const VERSION_AT = CREATED_AT + SECS_BITS
const SHAPE = /^[1-9]\d{55}$/

/** Writes the sequence numbers of one shard. */
export class SequenceNumbers {
  readonly #always: bigint
  #secs = -1
  /** All but the counter, for records of the second `#secs`. */
  #base = 0n

  constructor({ createdSecs, shardIndex }: ShardStamp) {
    const index = BigInt(shardIndex)
    this.#always =
      (VERSION << VERSION_AT) |
      (BigInt(createdSecs) << CREATED_AT) |
      ((index & 15n) << LOW_SHARD_AT) |
      (index << VERSION_BITS) |
      VERSION
  }

  /** The number of the record with this counter, which arrived in this second. */
  at(counter: number | bigint, secs: number): string {
    if (secs !== this.#secs) {
      this.#secs = secs
      this.#base = this.#always | (BigInt(secs) << TIME_AT)
    }
    return (this.#base | (BigInt(counter) << COUNTER_AT)).toString()
  }
}

/** Reads a sequence number; undefined if the service cannot have made it. */
export function parseSequenceNumber(text: string): SequenceParts | undefined {
  if (!SHAPE.test(text)) return undefined
  const number = BigInt(text)
  const part = (at: bigint, bits: bigint) => BigInt.asUintN(Number(bits), number >> at)
  const shardIndex = Number(part(VERSION_BITS, SHARD_BITS))
  if (number >> VERSION_AT !== VERSION || part(0n, VERSION_BITS) !== VERSION) return undefined
  if (Number(part(LOW_SHARD_AT, 4n)) !== shardIndex % 16) return undefined
  return {
    createdSecs: Number(part(CREATED_AT, SECS_BITS)),
    shardIndex,
    counter: part(COUNTER_AT, 64n),
    secs: Number(part(TIME_AT, SECS_BITS)),
  }
}
