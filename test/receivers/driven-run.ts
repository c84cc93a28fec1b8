// A pipeline on a clock that the test moves, batch by batch.

import {
  type DStream,
  type EventOf,
  type PipelineOptions,
  pipeline,
  type Run,
  type Source,
  type StreamEvent,
  start,
} from 'millrace'
import { CollectingSink, type ManualClock, quietLogger } from 'millrace/testing'

/** What is run, and how. */
export interface DrivenOptions<T, U> {
  readonly sources: readonly Source<T>[]
  readonly build: (streams: DStream<T>[]) => DStream<U>
  readonly options: PipelineOptions
  readonly clock: ManualClock
  readonly sink?: CollectingSink<U>
}

/** A run with its results and events. */
export class DrivenRun<U> {
  readonly run: Run
  readonly sink: CollectingSink<U>
  readonly events: readonly StreamEvent[]
  readonly clock: ManualClock

  private constructor(
    run: Run,
    sink: CollectingSink<U>,
    events: StreamEvent[],
    clock: ManualClock,
  ) {
    this.run = run
    this.sink = sink
    this.events = events
    this.clock = clock
  }

  static async start<T, U>(what: DrivenOptions<T, U>): Promise<DrivenRun<U>> {
    const { sources, build, options, clock, sink = new CollectingSink<U>() } = what
    const described = pipeline('driven', options, (ssc) => {
      build(sources.map((source) => ssc.receive(source))).writeTo(sink)
    })
    const events: StreamEvent[] = []
    const onEvent = (event: StreamEvent): unknown => events.push(event)
    const run = await start(described, { clock, logger: quietLogger, onEvent })
    return new DrivenRun(run, sink, events, clock)
  }

  /** Moves the clock on and waits for the batch that is due then. */
  async nextBatch(ms: number): Promise<void> {
    const completed = new Promise((resolve) => this.run.on('batch-completed', resolve))
    this.clock.advance(ms)
    await Promise.race([completed, this.run.done])
  }

  /** The records of each batch, empty batches left out. */
  outputs(): U[][] {
    const ids = [...this.sink.batches.keys()].sort((a, b) => a - b)
    const outputs = ids.map((id) => this.sink.batches.get(id)?.flat(1) ?? [])
    return outputs.filter((output) => output.length > 0)
  }

  eventsOf<K extends StreamEvent['kind']>(kind: K): EventOf<K>[] {
    return this.events.filter((event): event is EventOf<K> => event.kind === kind)
  }
}
