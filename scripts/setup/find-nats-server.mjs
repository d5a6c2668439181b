/** Looks for a nats-server that is new enough on this machine: on PATH, else in the user's cache. Asks no network. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { cacheFolder, findCachedNatsServer, sha256OfFile } from './nats-server-cache.mjs'
import { isNewEnough, readNatsServerVersion } from './nats-server-version.mjs'

const binaryName = process.platform === 'win32' ? 'nats-server.exe' : 'nats-server'

/** `{ path, sha256 }`, or null. The sha256 is null for the system's own, which its package manager may update. */
export function findInstalledNatsServer(env) {
  return findOnPath(env.PATH ?? '') ?? findCachedNatsServer(cacheFolder(env))
}

/** Whether what was found earlier is still there, and still the same. */
export function isIntact({ path, sha256 }) {
  return existsSync(path) && (sha256 === null || sha256OfFile(path) === sha256)
}

function findOnPath(path) {
  const candidates = path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, binaryName))
  const found = candidates.find((candidate) => existsSync(candidate) && isNewEnough(readNatsServerVersion(candidate)))
  return found === undefined ? null : { path: found, sha256: null }
}
