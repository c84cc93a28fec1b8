// What one life told of shards: an event and a log line for each change, once; and not of what the
// checkpoint knew already.

import type { Logger, StreamEvent } from 'millrace'
import type { ShardNews } from '../../../src/events.ts'
import type { StreamName } from './two-streams.ts'

const KINDS = new Set(['shard-found', 'shard-ended', 'shard-split', 'shards-merged'])
const LINES = new Map([
  ['A shard was found', 'shard-found'],
  ['A shard was read to its end', 'shard-ended'],
  ['A shard was split', 'shard-split'],
  ['Two shards were merged', 'shards-merged'],
])

/** Which children came out of which parents, as it was told. */
export type ToldReshards = ReadonlyMap<string, ReadonlySet<string>>

/** Listens to one life. */
export class NewsOfLife {
  readonly logger: Logger
  readonly #events: string[] = []
  readonly #lines: string[] = []
  readonly #reshards = new Map<string, Set<string>>()

  constructor() {
    const note = (fields: object, message: string): void => this.#note(fields, message)
    this.logger = { debug: note, info: note, warn: note, error: note }
  }

  /** Takes an event. */
  take(event: StreamEvent): void {
    if (!KINDS.has(event.kind)) return
    const {
      kind,
      name,
      sourceId: _,
      ...what
    } = event as ShardNews & {
      readonly name: string
      readonly sourceId: number
    }
    const stream = name.replace('kinesis:', '')
    this.#events.push(textOf(kind, stream, what))
    if (kind === 'shard-split' && 'children' in what) this.#add(stream, what.shard, what.children)
    if (kind === 'shards-merged' && 'child' in what) {
      for (const parent of what.shards) this.#add(stream, parent, [what.child])
    }
  }

  /** The children of each shard, told so far, of a stream. */
  reshards(stream: StreamName): ToldReshards {
    const own = [...this.#reshards].filter(([key]) => key.startsWith(`${stream}/`))
    return new Map(own.map(([key, children]) => [key.slice(stream.length + 1), children]))
  }

  /** Throws unless each change has one event and one line; `known`: the shards of the checkpoint,
   * as `stream/shard`, and those of them that had ended. */
  check(known: ReadonlySet<string>, ended: ReadonlySet<string>): void {
    const changes = this.#events.map(changeOf)
    const twice = this.#events.filter((_, i) => changes.indexOf(changes[i] ?? '') !== i)
    if (twice.length > 0) throw new Error(`Told twice: ${twice.join(', ')}`)
    if (this.#events.join('\n') !== this.#lines.join('\n')) {
      throw new Error(`Events ${this.#events.join(', ')}; log lines ${this.#lines.join(', ')}`)
    }
    for (const one of this.#events) {
      const [kind, stream, shard] = changeOf(one).split(' ')
      const before = kind === 'shard-found' ? known : kind === 'shard-ended' ? ended : NONE
      if (before.has(`${stream}/${shard}`)) throw new Error(`The checkpoint knew: ${one}`)
    }
  }

  #note(fields: object, message: string): void {
    const kind = LINES.get(message)
    if (kind === undefined) return
    const { stream, sourceId: _s, source: _n, ...what } = fields as Record<string, unknown>
    this.#lines.push(textOf(kind, String(stream), what))
  }

  #add(stream: string, parent: string, children: readonly string[]): void {
    const key = `${stream}/${parent}`
    const told = this.#reshards.get(key) ?? new Set()
    for (const child of children) told.add(child)
    this.#reshards.set(key, told)
  }
}

const NONE: ReadonlySet<string> = new Set()

/** Kind, stream, and the shard that it is about. */
function changeOf(text: string): string {
  const [kind, stream, fields = ''] = text.split(' ', 3)
  const { shard, child } = JSON.parse(fields) as { shard?: string; child?: string }
  return `${kind} ${stream} ${shard ?? child}`
}

function textOf(kind: string, stream: string, what: object): string {
  const sorted = Object.fromEntries(Object.entries(what).sort(([a], [b]) => (a < b ? -1 : 1)))
  return `${kind} ${stream} ${JSON.stringify(sorted)}`
}
