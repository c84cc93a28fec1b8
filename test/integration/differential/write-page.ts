import { writeFileSync } from 'node:fs'
import { PAGE, pageText } from './page.ts'

writeFileSync(PAGE, pageText())
