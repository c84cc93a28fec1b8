// An S3 service in memory, which goes wrong where a test says.

type Operation = 'PutObject' | 'GetObject' | 'HeadObject' | 'DeleteObject' | 'ListObjectsV2'

/** What goes wrong with calls of one operation. */
export interface S3Fault {
  readonly operation: Operation
  /** The calls about keys that end so. @default all */
  readonly key?: string
  /** How often. @default 1 */
  readonly times?: number
  /** An HTTP status that it answers, nothing at all, or a connection that breaks. */
  readonly answer: number | 'none' | 'reset'
  /** What the service calls the error. @default the usual one of the status */
  readonly name?: string
  /** True if what was asked is done all the same: only the answer is lost. @default false */
  readonly done?: boolean
}

interface Input {
  readonly Key?: string
  readonly Prefix?: string
  readonly Body?: Uint8Array
  readonly IfNoneMatch?: string
  readonly Metadata?: Readonly<Record<string, string>>
  readonly ContinuationToken?: string
  readonly MaxKeys?: number
}

interface Command {
  readonly constructor: { readonly name: string }
  readonly input: Input
}

interface Stored {
  readonly Body: Uint8Array
  readonly Metadata: Readonly<Record<string, string>> | undefined
}

const NAMES: Readonly<Record<number, string>> = {
  403: 'AccessDenied',
  404: 'NotFound',
  409: 'ConditionalRequestConflict',
  412: 'PreconditionFailed',
  503: 'SlowDown',
}

/** The error that an S3 client throws for a status. */
export function s3Error(status: number, name = NAMES[status] ?? 'InternalError'): Error {
  const error = new Error(`${name} of the script`)
  error.name = name
  return Object.assign(error, { $metadata: { httpStatusCode: status } })
}

/** The client of the service. */
export class ScriptedS3 {
  readonly objects = new Map<string, Stored>()
  /** The operations that were asked for, in order. */
  readonly asked: string[] = []
  /** False: a service that knows nothing of If-None-Match. */
  honoursConditions = true
  /** What a listing has at most. */
  pageSize = 1_000
  readonly #faults: { readonly fault: S3Fault; left: number }[] = []

  /** Goes wrong from now on. */
  fail(fault: S3Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 })
  }

  async send(command: Command): Promise<object> {
    const operation = command.constructor.name.replace('Command', '') as Operation
    const { input } = command
    this.asked.push(`${operation} ${input.Key ?? input.Prefix}`)
    await Promise.resolve()
    const found = this.#faults.find(({ fault, left }) => {
      const isKey = fault.key === undefined || input.Key?.endsWith(fault.key) === true
      return left > 0 && fault.operation === operation && isKey
    })
    if (found === undefined) return this.#do(operation, input)
    found.left -= 1
    if (found.fault.done === true) this.#do(operation, input)
    return this.#answer(found.fault)
  }

  #answer({ answer, name }: S3Fault): Promise<never> {
    if (answer === 'none') return new Promise(() => undefined)
    if (answer !== 'reset') return Promise.reject(s3Error(answer, name))
    return Promise.reject(Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }))
  }

  #do(operation: Operation, input: Input): object {
    const { Key = '' } = input
    const stored = this.objects.get(Key)
    switch (operation) {
      case 'PutObject':
        if (this.honoursConditions && input.IfNoneMatch === '*' && stored !== undefined) {
          throw s3Error(412)
        }
        this.objects.set(Key, { Body: input.Body ?? new Uint8Array(), Metadata: input.Metadata })
        return {}
      case 'DeleteObject':
        this.objects.delete(Key)
        return {}
      case 'ListObjectsV2':
        return this.#list(input)
      default: {
        if (stored === undefined) throw s3Error(404)
        const Body = { transformToByteArray: () => Promise.resolve(stored.Body) }
        return { Metadata: stored.Metadata, Body }
      }
    }
  }

  #list({ Prefix = '', ContinuationToken = '', MaxKeys = this.pageSize }: Input): object {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(Prefix)).sort()
    const rest = keys.filter((key) => key > ContinuationToken)
    const page = rest.slice(0, MaxKeys)
    const more = rest.length > page.length ? { NextContinuationToken: page.at(-1) } : {}
    return { Contents: page.map((key) => ({ Key: key })), ...more }
  }
}
