// Another tool: reads a checkpoint in a folder as docs/format.md describes it, with nothing of src/.
import { readdirSync, readFileSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Packr } from 'msgpackr'

const plain = new Packr({ useRecords: false })
const packr = new Packr({ useRecords: true, mapsAsObjects: false, moreTypes: true })
const read = (name) => readFileSync(`${process.argv[2]}/${name}`)
function frames({ slot, length }) {
  const bytes = read(`slots/${String(slot).padStart(10, '0')}.log`).subarray(0, length)
  const found = []
  for (let at = 0, end = 0; at + 16 <= bytes.length; at = end) {
    end = at + 16 + bytes.readUInt32BE(at + 4)
    const place = Buffer.from(Uint32Array.of(slot, at).buffer).swap32()
    const crc = crc32(bytes.subarray(at, at + 12), crc32(place))
    if (crc32(bytes.subarray(at + 16, end), crc) !== bytes.readUInt32BE(at + 12)) break
    found.push({ slot, at, ...plain.unpack(bytes.subarray(at + 16, end)) })
  }
  return found
}
function list({ kind, data, lengths }) {
  if (kind === 'numbers') return [...data]
  if (kind === 'packed') return packr.unpack(data)
  const text = Buffer.from(data).toString(kind === 'utf16' ? 'utf16le' : 'latin1')
  const start = (i) => lengths.slice(0, i).reduce((a, b) => a + b, 0)
  return Array.from(lengths, (length, i) => text.slice(start(i), start(i) + length))
}
const pairs = ({ keys, values }) => list(keys).map((key, i) => [key, list(values)[i]])
const opened = (value) => (value instanceof Uint8Array ? packr.unpack(value) : value)
const slots = readdirSync(`${process.argv[2]}/slots`).map((name) => Number.parseInt(name, 10))
const all = slots.sort((a, b) => a - b).map((slot) => frames({ slot }))
const newest = all.findLast((records) => records.some(({ chain }) => chain))
const { chain } = newest.find((record) => record.chain)
const log = [...chain.filter(({ slot }) => slots.includes(slot)).flatMap(frames), ...newest]
const isWhole = ({ files }) => files?.every(({ name, crc }) => crc32(read(name)) === crc)
const { files, from, base } = log.findLast(isWhole)
const [groups, planned, committed, state, windows] = [[], {}, [], new Map(), []]
for (const file of files.map(({ name }) => read(name)))
  for (let at = 8; at <= file.length; at += 4 + file.readUInt32BE(at - 4))
    groups.push(...plain.unpack(file.subarray(at, at + file.readUInt32BE(at - 4))))
const after = ({ slot, at }) => slot > from.slot || (slot === from.slot && at >= from.offset)
for (const { batchId, sources, changes } of [...base.planned, ...log.filter(after)]) {
  if (sources !== undefined) planned[batchId] = sources.flatMap(({ ranges }) => ranges)
  if (changes?.length > 0) groups.push(...plain.unpack(changes))
  if (changes !== undefined) committed.push(batchId)
}
const positions = base.positions.flatMap(({ at }) => at.map((one) => [one.partition, one.position]))
for (const one of committed.flatMap((id) => planned[id])) positions.push([one.partition, one.upTo])
const recordsOf = { pairs, records: ({ records }) => list(records) }
for (const [id, shared, , parts] of groups) {
  for (const part of parts.map(([, bytes]) => packr.unpack(bytes))) {
    const { removed, marks, ...columns } = part.piece ?? part.reduction ?? part
    if (removed !== undefined) for (const key of list(removed)) state.delete(`${id} ${key}`)
    if (marks !== undefined) for (const [k, v] of pairs(columns)) state.set(`${id} ${k}`, opened(v))
    const records = part.time === undefined ? part : (part.records ?? {})
    const kept = recordsOf[records.kind]?.(records) ?? []
    windows.push(...kept.map((record) => [id, part.time ?? shared.time, record]))
  }
}
console.log(JSON.stringify({ positions, committed, state: [...state], windows }))
