// The rates of the control plane: for each operation so many calls a second of the account, or for
// a stream.

import type { KinesisLimits } from './kinesis-limits.ts'
import type { CallContext } from './operation.ts'
import { limitExceeded } from './service-fault.ts'

const OWN_RATES: Readonly<Record<string, keyof KinesisLimits>> = {
  DescribeStream: 'describeStreamPerSecond',
  DescribeStreamSummary: 'describeStreamSummaryPerSecond',
  UpdateShardCount: 'updateShardCountPerSecond',
}

/** Counts a call of the account; throws a LimitExceededException if there were too many. */
export function checkAccountRate(context: CallContext): void {
  const { operation, limits, traffic, nowMs, account } = context
  const perSecond = limits[OWN_RATES[operation] ?? 'controlCallsPerSecond']
  if (traffic.tryCall(operation, perSecond, '', nowMs)) return
  throw limitExceeded(
    `Rate exceeded for ${operation} under account ${account.place.accountId}: ` +
      `${perSecond} calls a second are allowed.`,
  )
}

/** Counts a ListShards of a stream; throws a LimitExceededException if there were too many. */
export function checkListShardsRate(stream: string, context: CallContext): void {
  const { operation, limits, traffic, nowMs, account } = context
  if (traffic.tryCall(operation, limits.listShardsPerSecond, stream, nowMs)) return
  throw limitExceeded(
    `Rate exceeded for stream ${stream} under account ${account.place.accountId}.`,
  )
}
