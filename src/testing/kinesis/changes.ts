// What can happen to the account's streams. A change says all that its effect depends on, so that
// the journal's changes, applied again in order, give the same streams.

/** How a stream gets its shards. */
export type StreamMode = 'PROVISIONED' | 'ON_DEMAND'

/** A record that is put: number of its shard, its counter, partition key, data. */
export type PutEntry = readonly [
  shard: number,
  counter: number,
  partitionKey: string,
  data: Uint8Array,
]

interface OfStream {
  readonly stream: string
  readonly atMs: number
}

/** A change that takes effect some time after the call; until then the stream's status tells. */
interface Delayed extends OfStream {
  readonly delayMs: number
}

/** A stream appears. */
export interface Creation extends Delayed {
  readonly kind: 'create'
  readonly createdMs: number
  readonly shards: number
  readonly mode: StreamMode
  readonly maxRecordKiB: number
  readonly tags: Readonly<Record<string, string>>
}

/** Records arrive. */
export interface Put extends OfStream {
  readonly kind: 'put'
  readonly entries: readonly PutEntry[]
}

/** A stream that exists changes. Hash keys are decimal, as in the API. */
export type Update =
  | (Delayed & { readonly kind: 'split'; readonly shard: number; readonly startHash: string })
  | (Delayed & { readonly kind: 'merge'; readonly shard: number; readonly adjacent: number })
  | (Delayed & { readonly kind: 'scale'; readonly target: number })
  | (Delayed & { readonly kind: 'retention'; readonly hours: number })
  | (Delayed & { readonly kind: 'record-size'; readonly kib: number })
  | (Delayed & { readonly kind: 'mode'; readonly mode: StreamMode })
  | (Delayed & { readonly kind: 'tags'; readonly tags: Readonly<Record<string, string>> })

/** A stream goes. */
export type Deletion = Delayed & { readonly kind: 'delete' }

/** Anything that changes what the account holds. */
export type Change = Creation | Put | Update | Deletion
