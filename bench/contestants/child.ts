// The side of the child in a contestant that is a Node process: it is told what to run by messages.

import type { Finish, Leg } from './contestant.ts'

/** What the parent asks for. */
export type ToChild =
  | { readonly kind: 'leg'; readonly batches: number }
  | { readonly kind: 'finish' }

/** What the child answers. */
export type FromChild =
  | { readonly kind: 'ready' }
  | { readonly kind: 'leg'; readonly leg: Leg }
  | { readonly kind: 'finish'; readonly finish: Finish }
  | { readonly kind: 'failed'; readonly message: string }

/** Runs batches in this process. */
export interface Driver {
  leg(batches: number): Promise<Leg>
  finish(): Promise<Finish>
}

/** Opens the driver of the task that this process was given, and serves it. */
export async function serve<T>(open: (task: T) => Promise<Driver>): Promise<void> {
  const task = JSON.parse(process.argv[2] ?? 'null') as T
  process.once('disconnect', () => process.exit())
  try {
    const driver = await open(task)
    process.on('message', (message: ToChild) => void answer(driver, message))
    send({ kind: 'ready' })
  } catch (error) {
    fail(error)
  }
}

async function answer(driver: Driver, message: ToChild): Promise<void> {
  try {
    if (message.kind === 'leg') send({ kind: 'leg', leg: await driver.leg(message.batches) })
    else send({ kind: 'finish', finish: await driver.finish() })
  } catch (error) {
    fail(error)
  }
}

function fail(error: unknown): void {
  send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}

function send(message: FromChild): void {
  // Nobody hears it where the parent has gone: this process ends with it.
  process.send?.(message, undefined, {}, () => undefined)
}
