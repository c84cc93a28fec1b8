// Compiles src/ to dist/ from nothing, so that a file that was deleted from src/ is not published.
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runOrExit } from './run.mjs'

rmSync(fileURLToPath(new URL('../dist', import.meta.url)), { recursive: true, force: true })
runOrExit('tsc', ['-p', 'tsconfig.build.json'])
