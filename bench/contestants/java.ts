// The peers need Java 17 and Maven. What is built lies in the bench's folder for temporary files.

import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import { benchFolder } from '../input/input-files.ts'
import { LeftOut } from './contestant.ts'

/** A peer and its Maven project. */
export type Peer = 'spark' | 'flink'

const JAVA_MIN = 17
const HEAP_GB_MAX = 6
const MAVEN_LINES_SHOWN = 3

/** Why no peer can take part; undefined where all is there. */
export function javaMissing(): string | undefined {
  const java = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (java.error !== undefined) return `Java is not installed: install a JDK ${JAVA_MIN} and Maven`
  const version = Number(/version "(\d+)/.exec(java.stderr)?.[1])
  if (!(version >= JAVA_MIN)) return `Java ${JAVA_MIN} or newer is needed, found ${version}`
  const maven = spawnSync('mvn', ['-v'], { encoding: 'utf8' })
  return maven.error === undefined ? undefined : 'Maven is not installed: install it'
}

/** The version of Java, for the result. */
export function javaVersion(): string {
  const { stderr } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  return /version "([^"]+)"/.exec(stderr)?.[1] ?? 'unknown'
}

/** The version of a peer, as its project asks for it. */
export function peerVersion(peer: Peer): string {
  const text = readFileSync(join(projectOf(peer), 'pom.xml'), 'utf8')
  return new RegExp(`<${peer}.version>([^<]+)<`).exec(text)?.[1] ?? 'unknown'
}

/** The heap of a peer in GiB: two of them and the other contestants fit. */
export function heapGb(): number {
  return Math.max(1, Math.min(HEAP_GB_MAX, Math.round(totalmem() / 2 ** 30 / 4)))
}

/** Builds a peer unless it is built; gives its class path. Rejects with LeftOut where Maven fails.
 * */
export async function classPathOf(peer: Peer): Promise<string> {
  const built = join(benchFolder(), 'peers', `${peer}-${sourcesHash(peer)}`)
  if (!existsSync(built)) await build(peer, built)
  return `${join(built, 'classes')}:${readFileSync(join(built, 'classpath'), 'utf8').trim()}`
}

async function build(peer: Peer, built: string): Promise<void> {
  const folders = join(benchFolder(), 'peers')
  mkdirSync(folders, { recursive: true })
  const folder = mkdtempSync(join(folders, 'unfinished-'))
  const goals = ['compile', 'dependency:build-classpath']
  const options = [`-Dtarget.folder=${folder}`, `-Dmdep.outputFile=${join(folder, 'classpath')}`]
  const project = ['-f', join(projectOf(peer), 'pom.xml')]
  const maven = spawn('mvn', ['-B', '-q', ...project, ...options, ...goals], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  maven.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const code = await new Promise((resolve) => maven.once('close', resolve))
  if (code !== 0) {
    const lines = output.split('\n').filter((line) => line.startsWith('[ERROR]'))
    throw new LeftOut(`Maven failed: ${lines.slice(0, MAVEN_LINES_SHOWN).join(' ')}`)
  }
  if (!existsSync(built)) renameSync(folder, built)
}

function projectOf(peer: Peer): string {
  return fileURLToPath(new URL(`../peers/${peer}/`, import.meta.url))
}

function sourcesHash(peer: Peer): string {
  const project = projectOf(peer)
  const sources = join(project, 'src', 'main', 'java', 'bench')
  const files = [
    join(project, 'pom.xml'),
    ...readdirSync(sources).map((name) => join(sources, name)),
  ]
  const hash = files.sort().reduce((before, file) => crc32(readFileSync(file), before), 0)
  return hash.toString(16).padStart(8, '0')
}
