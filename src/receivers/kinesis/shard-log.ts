import type { Logger, ShardNews } from '../../events.ts'

/** Writes one line for each thing that happens to a shard. */
export function logShardNews(logger: Logger, stream: string, news: ShardNews): void {
  const { kind, ...what } = news
  if (kind === 'gap-passed') logger.warn({ stream, ...what }, news.message)
  else logger.info({ stream, ...what }, MESSAGES[kind])
}

const MESSAGES: Readonly<Record<Exclude<ShardNews['kind'], 'gap-passed'>, string>> = {
  'shard-found': 'A shard was found',
  'shard-ended': 'A shard was read to its end',
  'shard-split': 'A shard was split',
  'shards-merged': 'Two shards were merged',
  'shard-forgotten': 'An ended shard has left the stream, and is forgotten',
}
