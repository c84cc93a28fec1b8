import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['millrace-src', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['millrace-src', 'node', 'import', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
})
