// Servers that integration tests need. A suite whose server is not installed is left out, and says
// with which command it comes; where MILLRACE_CI is set, a missing server is a failure.

interface Server {
  readonly module: string
  readonly install: string
}

const SERVERS: Readonly<Record<string, Server>> = {
  kinesalite: { module: 'kinesalite', install: 'npm install --no-save kinesalite@3.3.3' },
}

/** Tells whether a server can be started; prints how to install it where it cannot. */
export async function requireServer(name: string): Promise<boolean> {
  const server = SERVERS[name]
  if (server === undefined) throw new Error(`no server is called "${name}"`)
  try {
    await import(server.module)
    return true
  } catch (cause) {
    const message = `left out: the tests that need ${name}; install it with: ${server.install}`
    if (process.env['MILLRACE_CI'] !== undefined) throw new Error(message, { cause })
    console.warn(message)
    return false
  }
}
