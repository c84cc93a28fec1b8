// What the service says of a request that is not signed. The simulator takes every key, and does
// not check the signature itself: it only asks that there is one.

import type { WireRequest } from './wire.ts'

const OF_HEADER = ['Credential', 'Signature', 'SignedHeaders'] as const
const OF_QUERY = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Date',
] as const

/** Gives the code and the message with which the service refuses a request that is not signed, or
 * undefined where it is. */
export function unsigned(
  request: WireRequest,
): readonly [code: string, message: string] | undefined {
  const header = request.headers['authorization']
  const query = new URLSearchParams(request.path.split('?')[1] ?? '')
  const inQuery = query.has('X-Amz-Algorithm')
  if (header !== undefined && inQuery) {
    return [
      'InvalidSignatureException',
      `Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.`,
    ]
  }
  if (header === undefined && !inQuery) {
    return ['MissingAuthenticationTokenException', 'Missing Authentication Token']
  }
  const message = header === undefined ? ofQuery(query) : ofHeader(header, request.headers)
  return message === undefined ? undefined : ['IncompleteSignatureException', message]
}

function ofHeader(header: string, headers: WireRequest['headers']): string | undefined {
  const given = new Set(header.split(/[ ,]+/).map((part) => part.split('=')[0]))
  const missing = OF_HEADER.filter((name) => !given.has(name)).map(
    (name) => `Authorization header requires '${name}' parameter. `,
  )
  if (headers['x-amz-date'] === undefined && headers['date'] === undefined) {
    missing.push(
      `Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. `,
    )
  }
  return missing.length === 0 ? undefined : `${missing.join('')}Authorization=${header}`
}

function ofQuery(query: URLSearchParams): string | undefined {
  const missing = OF_QUERY.filter((name) => !query.has(name)).map(
    (name) => `AWS query-string parameters must include '${name}'. `,
  )
  if (missing.length === 0) return undefined
  return `${missing.join('')}Re-examine the query-string parameters.`
}
