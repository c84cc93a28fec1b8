// Servers in processes of their own. They end with this one: nobody would be left to end them.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** A server that runs. */
export interface RunningServer {
  readonly endpoint: string
  close(): Promise<void>
}

const STARTED_MS_MAX = 25_000
const ASK_AGAIN_MS = 50

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a process that ends with this one. */
export function spawnBound(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  const child = spawn(command, args, options)
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Waits until a server on a port answers; `ask` rejects until it does.
 * @default any answer to an HTTP request */
export async function answering(
  child: ChildProcess,
  port: number,
  ask: (server: RunningServer) => Promise<unknown> = ({ endpoint }) => fetch(endpoint),
): Promise<RunningServer> {
  const gone = once(child, 'exit')
  const close = async () => {
    child.kill('SIGKILL')
    await gone
  }
  const server = { endpoint: `http://127.0.0.1:${port}`, close }
  try {
    await answered(() => ask(server))
  } catch (error) {
    await close()
    throw error
  }
  return server
}

/** Asks until there is an answer. Tortures run without vitest, so its own wait is not for them. */
async function answered(ask: () => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + STARTED_MS_MAX
  for (;;) {
    try {
      await ask()
      return
    } catch (error) {
      if (performance.now() > endMs) throw error
      await pause(ASK_AGAIN_MS)
    }
  }
}
