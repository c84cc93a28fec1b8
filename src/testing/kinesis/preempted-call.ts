// Faults that keep a call from being executed at all.

import { placeOfCall } from './call-place.ts'
import type { FaultKind } from './faults.ts'
import type { CallContext, Input } from './operation.ts'
import { ConnectionCut, limitExceeded, ServiceFault, throughputExceeded } from './service-fault.ts'
import { shardIndexOf } from './shard.ts'

const DATA_PLANE = new Set(['PutRecord', 'PutRecords', 'GetRecords', 'GetShardIterator'])

const KEEPS_AWAY: ReadonlySet<FaultKind> = new Set(['error', 'throttle', 'cut-before'])

/** Throws what the fault of a call wants instead of its execution, if it does. */
export function preempt(input: Input, context: CallContext): void {
  if (context.fault.kind === 'none') return
  noteCall(input, context)
  const instead = insteadOf(context)
  if (instead !== undefined) throw instead
}

function insteadOf({ fault, operation, notes, account }: CallContext): Error | undefined {
  switch (fault.kind) {
    case 'cut-before':
      return new ConnectionCut(false)
    case 'error':
      return fault.status === 503
        ? new ServiceFault('ServiceUnavailable', 'Service is unable to handle request.', 503)
        : new ServiceFault('InternalFailure', 'The request processing has failed.', 500)
    case 'throttle': {
      // Of a PutRecords single records are refused.
      if (operation === 'PutRecords') return undefined
      const message = `Rate exceeded for ${notes.shard ?? notes.stream ?? account.place.accountId}`
      return DATA_PLANE.has(operation) ? throughputExceeded(message) : limitExceeded(message)
    }
    default:
      return undefined
  }
}

// The call came, so it counts as a read of its shard also where it is not executed.
function noteCall(input: Input, context: CallContext): void {
  const { operation, notes, account, traffic, nowMs, fault } = context
  const place = placeOfCall(input)
  notes.stream = place.stream
  notes.shard = place.shard
  if (operation !== 'GetRecords' || place.stream === undefined || !KEEPS_AWAY.has(fault.kind))
    return
  const stream = account.stream(place.stream, nowMs)
  const shard = stream?.shards[shardIndexOf(place.shard ?? '') ?? -1]
  if (stream !== undefined && shard !== undefined) {
    traffic.meterOf(stream, shard, nowMs).readCame(nowMs)
  }
}
