import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-src', 'node'] },
  ssr: { resolve: { conditions: ['millrace-src', 'node'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/left-out.ts',
    pool: 'forks',
    // Threads that a test starts find the sources too.
    execArgv: ['--conditions=millrace-src'],
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
})
