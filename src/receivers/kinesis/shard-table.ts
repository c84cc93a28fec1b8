// The shards of a stream: which may be read, which ranges may be cut, and which can be forgotten.

import type { ShardNews } from '../../events.ts'
import type { ShardState } from './shard.ts'
import { byLineage } from './shard.ts'
import type { ListedShard } from './stream-reader.ts'

/** All shards that a receiver knows. A parent that is not among them has ended: the stream has
 * dropped it. */
export class ShardTable {
  readonly #shards = new Map<string, ShardState>()
  #forgotten: string[] = []

  get all(): readonly ShardState[] {
    return [...this.#shards.values()]
  }

  has(id: string): boolean {
    return this.#shards.has(id)
  }

  add(shard: ShardState): void {
    this.#shards.set(shard.id, shard)
  }

  /** Records that wait in all of them. */
  get waiting(): number {
    let records = 0
    for (const shard of this.#shards.values()) records += shard.waiting
    return records
  }

  /** True if a shard may be read: all its parents were read to their end. */
  isReadable(shard: ShardState): boolean {
    return this.#parentsOf(shard).every((parent) => parent.ended)
  }

  /** The shards of which a range may be cut, in order: those whose parents' ends were taken by an
   * earlier cut. */
  takeable(): ShardState[] {
    const sorted = [...this.#shards.values()].sort(byLineage)
    return sorted.filter((shard) => this.#parentsOf(shard).every((parent) => parent.endTaken))
  }

  /** The shards of a listing that are not known, parents first; undefined if one of their parents
   * is not known either, and may be one that is still to be read. */
  unknownOf(listed: readonly ListedShard[], isComplete: boolean): ListedShard[] | undefined {
    const unknown = listed.filter(({ id }) => !this.has(id))
    const given = new Set(listed.map(({ id }) => id))
    const isKnown = (id: string): boolean => this.has(id) || given.has(id)
    if (!isComplete && !unknown.every(({ parents }) => parents.every(isKnown))) return undefined
    return unknown.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Forgets the shards whose end was taken and which the stream does not list any more. Their
   * children are known: they are listed as long as they are not read. */
  forgetDropped(listed: readonly ListedShard[]): string[] {
    const ids = new Set(listed.map(({ id }) => id))
    const dropped = this.all.filter(({ id, endTaken }) => endTaken && !ids.has(id))
    for (const { id } of dropped) this.#shards.delete(id)
    const forgotten = dropped.map(({ id }) => id)
    this.#forgotten.push(...forgotten)
    return forgotten
  }

  /** What the log has not been told to forget yet; it counts as told. */
  takeForgotten(): readonly string[] {
    const forgotten = this.#forgotten
    this.#forgotten = []
    return forgotten
  }

  #parentsOf(shard: ShardState): ShardState[] {
    return shard.parents.flatMap((id) => this.#shards.get(id) ?? [])
  }
}

/** What the coming of shards says: which were found, and which were split or merged. */
export function reshardNews(found: readonly ListedShard[]): ShardNews[] {
  const children = new Map<string, string[]>()
  const news: ShardNews[] = []
  for (const { id, parents } of found) {
    news.push({ kind: 'shard-found', shard: id, parents })
    const [parent, ...more] = parents
    if (parent === undefined) continue
    if (more.length > 0) news.push({ kind: 'shards-merged', shards: parents, child: id })
    else children.set(parent, [...(children.get(parent) ?? []), id])
  }
  for (const [shard, ids] of children) news.push({ kind: 'shard-split', shard, children: ids })
  return news
}
