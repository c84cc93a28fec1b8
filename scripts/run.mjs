import { spawnSync } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json, whatever the working directory is. */
export const root = fileURLToPath(new URL('..', import.meta.url))

const bin = join(root, 'node_modules', '.bin')

/** Runs a tool of this repository from its root, with the repository's own Node first in PATH. */
export function run(tool, args) {
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
  const result = spawnSync(tool, args, { cwd: root, env, stdio: 'inherit' })
  if (result.error) throw result.error
  return result.status ?? 1
}

/** Like `run`, but a failure of the tool ends this process with the same exit code. */
export function runOrExit(tool, args) {
  const status = run(tool, args)
  if (status !== 0) process.exit(status)
}
