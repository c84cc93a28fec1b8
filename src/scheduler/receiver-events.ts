// What receivers tell: their lives, their errors and their counts, as events of the run.

import type { ReceiverContext, ReceiverNews } from '../receivers/receiver.ts'
import type { ReceiversParts } from './receivers.ts'

/** Tells what happens to the receivers of a run. */
export class ReceiverEvents {
  readonly #parts: ReceiversParts
  readonly #running = new Set<number>()

  constructor(parts: ReceiversParts) {
    this.#parts = parts
  }

  /** Emits the event, but no stop of a receiver that is stopped already. */
  tell(sourceId: number, news: ReceiverNews): void {
    if (news.kind === 'receiver-started') this.#running.add(sourceId)
    if (news.kind === 'receiver-stopped' && !this.#running.delete(sourceId)) return
    this.#parts.events.emit({ ...news, sourceId, name: this.#nameOf(sourceId) })
  }

  /** What the receiver of a source is given, in the driver's thread. */
  readonly contextOf = (sourceId: number): ReceiverContext => {
    const { pipeline, clock, logger, signal, settings, events, fail } = this.#parts
    const name = this.#nameOf(sourceId)
    const receiverError = (message: string, error: unknown): void =>
      events.emit({ kind: 'receiver-error', sourceId, name, message, error })
    return {
      pipeline,
      sourceId,
      clock,
      logger,
      signal,
      bufferBytesMax: settings.bufferBytesMax,
      fail: (error) => {
        receiverError('The receiver cannot go on', error)
        fail(error)
      },
      reportError: (message, error) => {
        logger.warn({ err: error, source: name }, message)
        receiverError(message, error)
      },
      tell: (news) => this.tell(sourceId, news),
      count: (counted, by = 1) =>
        events.emit({ kind: 'source-counted', name: counted, by, source: name }),
    }
  }

  #nameOf(sourceId: number): string {
    return this.#parts.graph.sources[sourceId]?.source.name ?? ''
  }
}
