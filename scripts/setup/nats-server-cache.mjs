/**
 * The user's cache of nats-server binaries, shared by all clones: `<cache>/duologue/nats-server-<version>/`
 * holds the binary and its sha256. A folder appears there by rename only, so it is whole or absent; a
 * binary that no longer has its recorded sha256 is not used.
 */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { compareVersions, isNewEnough, readNatsServerVersion } from './nats-server-version.mjs'

const binaryName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'

export function cacheFolder(env = process.env) {
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'duologue')
}

/** The newest acceptable binary of the cache as `{ path, sha256 }`, or null. */
export function findCachedNatsServer(folder = cacheFolder()) {
  if (!existsSync(folder)) return null
  const versions = readdirSync(folder)
    .map((name) => /^nats-server-(\d+\.\d+\.\d+)$/u.exec(name)?.[1])
    .filter((version) => version !== undefined && isNewEnough(version))
    .toSorted(compareVersions)
    .toReversed()
  for (const version of versions) {
    const found = readEntry(join(folder, `nats-server-${version}`))
    if (found) return found
  }
  return null
}

/** Copies an unpacked binary into the cache, by rename; returns `{ path, sha256 }`. */
export function storeNatsServer(unpackedBinary, folder = cacheFolder()) {
  const version = readNatsServerVersion(unpackedBinary)
  if (version === null || !isNewEnough(version)) {
    throw new Error(`the downloaded nats-server is of version ${version ?? 'unknown'}`)
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const draft = mkdtempSync(join(folder, '.incoming-'))
  const entry = join(folder, `nats-server-${version}`)
  try {
    copyFileSync(unpackedBinary, join(draft, binaryName))
    chmodSync(join(draft, binaryName), 0o755)
    writeFileSync(join(draft, 'sha256'), `${sha256OfFile(join(draft, binaryName))}\n`)
    if (!readEntry(entry)) rmSync(entry, { recursive: true, force: true })
    renameUnlessThere(draft, entry)
  } finally {
    rmSync(draft, { recursive: true, force: true })
  }
  const stored = readEntry(entry)
  if (!stored) throw new Error(`could not keep nats-server ${version} in ${folder}`)
  return stored
}

export function sha256OfFile(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}

function readEntry(entry) {
  try {
    const path = join(entry, binaryName)
    const sha256 = readFileSync(join(entry, 'sha256'), 'utf8').trim()
    return sha256OfFile(path) === sha256 ? { path, sha256 } : null
  } catch {
    return null
  }
}

/** Another clone's set-up may have stored the same version a moment ago. */
function renameUnlessThere(from, to) {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code) || !existsSync(to)) throw error
  }
}
