import { access } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { ConfigError, messageOf } from './errors.ts'
import type { Pipeline } from './pipeline.ts'

/** A pipeline, and the module where it was found. */
export interface FoundPipeline<A> {
  readonly pipeline: Pipeline<A>
  readonly url: URL
}

/** Imports the pipeline that a module exports. */
export async function importPipeline<A>(url: URL, name: string): Promise<Pipeline<A>> {
  return (await findPipeline<A>(url, name)).pipeline
}

/** Finds and imports the pipeline that a module exports. A URL to `.ts` also finds the built `.js`,
 * and the reverse. */
export async function findPipeline<A>(url: URL, name: string): Promise<FoundPipeline<A>> {
  const found = await findModule(url)
  let exports: Record<string, unknown>
  try {
    exports = (await import(found.href)) as Record<string, unknown>
  } catch (cause) {
    throw new ConfigError(`Cannot import pipeline module "${found.href}": ${messageOf(cause)}`, {
      cause,
    })
  }
  const described = exports[name]
  if (isPipeline(described)) return { pipeline: described as Pipeline<A>, url: found }
  throw new ConfigError(
    `Cannot start "${found.href}": its export "${name}" is no pipeline; export what pipeline() ` +
      `gives, or name its export in start(url, { export })`,
  )
}

async function findModule(url: URL): Promise<URL> {
  const other = url.href.endsWith('.ts')
    ? new URL(url.href.replace(/\.ts$/, '.js'))
    : new URL(url.href.replace(/\.js$/, '.ts'))
  for (const candidate of [url, other]) {
    if (await isThere(candidate)) return refuseUnbuilt(candidate)
  }
  throw new ConfigError(
    `Cannot find pipeline module "${url.href}", nor "${other.href}": give the URL of a file, for ` +
      `example new URL('./pipeline.ts', import.meta.url)`,
  )
}

function refuseUnbuilt(url: URL): URL {
  if (!url.pathname.includes('/node_modules/') || !url.href.endsWith('.ts')) return url
  throw new ConfigError(
    `Cannot start "${url.href}": Node does not strip types inside node_modules; build the ` +
      `package ` +
      `that holds the pipeline, and give the URL of its .js`,
  )
}

async function isThere(url: URL): Promise<boolean> {
  try {
    await access(fileURLToPath(url))
    return true
  } catch {
    return false
  }
}

/** True for what `pipeline()` gives. */
export function isPipeline(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return 'build' in value && typeof value.build === 'function' && 'options' in value
}
