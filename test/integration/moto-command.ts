// How moto is started. It looks whether a key is there and then writes it, in one of many threads:
// two writers of one key may both be told that they were first. With one thread it has one winner.

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

/** Gives the program and its arguments that serve on a port of this machine. */
export function motoCommand(port: number): readonly [command: string, args: readonly string[]] {
  return ['python3', ['-c', PROGRAM, '-H', '127.0.0.1', '-p', String(port)]]
}
