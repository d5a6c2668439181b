/**
 * A WOFF 1.0 file as the TrueType file that is packed in it: the same tables, each compressed by zlib. The
 * font comes from npm as WOFF, and the renderer reads TrueType only.
 */
import { inflateSync } from 'node:zlib'

const woffHeaderBytes = 44
const woffEntryBytes = 20
const headerBytes = 12
const entryBytes = 16

export function unpackWoff(woff: Buffer): Buffer {
  if (woff.toString('latin1', 0, 4) !== 'wOFF') throw new Error('could not unpack the font: it is no WOFF file')
  const count = woff.readUInt16BE(12)
  const directory = Buffer.alloc(headerBytes + entryBytes * count)
  woff.copy(directory, 0, 4, 8)
  const power = Math.floor(Math.log2(count))
  directory.writeUInt16BE(count, 4)
  directory.writeUInt16BE(2 ** power * entryBytes, 6)
  directory.writeUInt16BE(power, 8)
  directory.writeUInt16BE((count - 2 ** power) * entryBytes, 10)
  const parts = [directory]
  let offset = directory.length
  for (let place = 0; place < count; place += 1) {
    const from = woffHeaderBytes + woffEntryBytes * place
    const to = headerBytes + entryBytes * place
    const [start, packed, size] = [4, 8, 12].map((field) => woff.readUInt32BE(from + field)) as [number, number, number]
    const table = woff.subarray(start, start + packed)
    woff.copy(directory, to, from, from + 4)
    woff.copy(directory, to + 4, from + 16, from + 20)
    directory.writeUInt32BE(offset, to + 8)
    directory.writeUInt32BE(size, to + 12)
    // Tables begin at multiples of four bytes.
    const padded = Buffer.alloc(Math.ceil(size / 4) * 4)
    ;(packed < size ? inflateSync(table) : table).copy(padded)
    parts.push(padded)
    offset += padded.length
  }
  return Buffer.concat(parts)
}
