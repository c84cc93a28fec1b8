// How a call of the simulated service ends other than with an answer.

/** An error answer of the simulated service.
 *
 * @example
 * ```ts
 * const simulator = new KinesisSimulator({ clock: new ManualClock() })
 * const call = () => simulator.call('DescribeStreamSummary', { StreamName: 'orders' })
 * assert.throws(call, (fault) => {
 *   return fault instanceof ServiceFault && fault.code === 'ResourceNotFoundException'
 * })
 * await simulator.close()
 * ```
 */
export class ServiceFault extends Error {
  /** The name of the class. */
  override readonly name = 'ServiceFault'
  /** The service's name for it, for example 'ProvisionedThroughputExceededException'. */
  readonly code: string
  /** The HTTP status: 400, 500 or 503. */
  readonly status: number

  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

/** A call has no answer: the connection is cut. `executed` says whether the service did what it
 * was asked for. */
export class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut'
  readonly executed: boolean

  constructor(executed: boolean) {
    super(`The connection was cut ${executed ? 'after' : 'before'} the call was executed`)
    this.executed = executed
  }
}

/** A parameter is not allowed here. */
export function invalidArgument(message: string): ServiceFault {
  return new ServiceFault('InvalidArgumentException', message)
}

/** A parameter breaks the constraints of the API's model. */
export function invalid(message: string): ServiceFault {
  return new ServiceFault('ValidationException', message)
}

/** A stream or shard does not exist. */
export function notFound(message: string): ServiceFault {
  return new ServiceFault('ResourceNotFoundException', message)
}

/** A stream is not in the state that a call needs. */
export function inUse(message: string): ServiceFault {
  return new ServiceFault('ResourceInUseException', message)
}

/** A limit of the account or stream, or a rate of calls of the control plane, is reached. */
export function limitExceeded(message: string): ServiceFault {
  return new ServiceFault('LimitExceededException', message)
}

/** The throughput of a shard is used up. */
export function throughputExceeded(message: string): ServiceFault {
  return new ServiceFault('ProvisionedThroughputExceededException', message)
}
