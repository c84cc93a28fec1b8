// The shards of a stream: which may be read, which ranges may be cut, and which can be forgotten.

import type { ShardNews } from '../../events.ts'
import type { ShardState } from './shard.ts'
import { byLineage } from './shard.ts'
import type { ListedShard } from './stream-reader.ts'

/** So many forgotten shards are remembered: a listing lags for minutes at most. */
const GONE_MAX = 10_000

/** All shards that a receiver knows. A parent that is not among them has ended: the stream has
 * dropped it. */
export class ShardTable {
  readonly #shards = new Map<string, ShardState>()
  #forgotten: string[] = []
  /** The last that were forgotten, whether the log knows it or not. */
  readonly #gone = new Set<string>()

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

  /** True if the shard was read and forgotten: a listing that lags may name it once more. */
  isGone(id: string): boolean {
    return this.#gone.has(id)
  }

  /** The children of a shard that can be read now. */
  readableChildrenOf(parent: string): ShardState[] {
    return this.all.filter((shard) => shard.parents.includes(parent) && this.isReadable(shard))
  }

  /** The shards of a listing that are not known, parents first; undefined if one of their parents
   * is not known either, and may be one that is still to be read. */
  unknownOf(listed: readonly ListedShard[], isComplete: boolean): ListedShard[] | undefined {
    const unknown = listed.filter(({ id }) => !this.has(id) && !this.isGone(id))
    const given = new Set(listed.map(({ id }) => id))
    const isKnown = (id: string): boolean => {
      return this.has(id) || this.isGone(id) || given.has(id)
    }
    if (!isComplete && !unknown.every(({ parents }) => parents.every(isKnown))) return undefined
    return unknown.sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** Forgets the shards whose end was taken, of which the stream keeps nothing any more, and which
   * it does not list. A listing may leave out a shard that comes again: not before `horizonMs` has
   * passed. Nor before the log has all its children: it tells by the parents what a child is. */
  forgetDropped(listed: readonly ListedShard[], horizonMs: number): string[] {
    const ids = new Set(listed.map(({ id }) => id))
    const needed = new Set(this.all.flatMap((shard) => (shard.isLogged ? [] : shard.parents)))
    const dropped = this.all.filter(({ id, endTaken, completeUpTo }) => {
      return endTaken && completeUpTo < horizonMs && !ids.has(id) && !needed.has(id)
    })
    for (const { id } of dropped) {
      this.#shards.delete(id)
      this.#gone.add(id)
    }
    for (const id of this.#gone) {
      if (this.#gone.size <= GONE_MAX) break
      this.#gone.delete(id)
    }
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

/** The parents of new shards that are neither known nor new. */
export function holesBefore(news: readonly ListedShard[], table: ShardTable): readonly string[] {
  const ids = new Set(news.map(({ id }) => id))
  // One that its children came before is no child of an unknown one: it is late itself.
  const older = new Set(table.all.flatMap(({ parents }) => parents))
  const holes = news.flatMap(({ id, parents }) => {
    const isKnown = (one: string): boolean => table.has(one) || table.isGone(one) || ids.has(one)
    return older.has(id) ? [] : parents.filter((one) => !isKnown(one))
  })
  return [...new Set(holes)]
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
