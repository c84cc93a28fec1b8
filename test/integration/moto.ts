// moto, a server of Kinesis and S3 among others. It looks whether a key is there and then writes
// it, in one of many threads: two writers of one key may both be told that they were first. With
// one thread it has one winner.

import { spawnSync } from 'node:child_process'
import { answering, freePort, type RunningServer, spawnBound } from './server-process.ts'

const PROGRAM = `
import sys, werkzeug.serving, moto.server
run = werkzeug.serving.run_simple
def run_in_one_thread(*args, **options):
    options["threaded"] = False
    return run(*args, **options)
for module in (werkzeug.serving, moto.server):
    module.run_simple = run_in_one_thread
moto.server.main(sys.argv[1:])
`

/** The command that installs moto. */
export const INSTALL_MOTO = "pip install 'moto[server]==5.2.5'"

export function hasMoto(): boolean {
  return spawnSync('python3', ['-c', 'import moto.server'], { stdio: 'ignore' }).status === 0
}

export async function startMoto(): Promise<RunningServer> {
  const port = await freePort()
  const args = ['-c', PROGRAM, '-H', '127.0.0.1', '-p', String(port)]
  return answering(spawnBound('python3', args, { stdio: 'ignore' }), port)
}
