/**
 * Finds a nats-server that is new enough, or brings one: from PATH, from the user's cache, from its
 * project's release page, from the Debian mirror of this machine's apt. Whatever is downloaded is
 * checked and ends in the cache, so that only the first set-up of a user asks the network.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findInstalledNatsServer } from './find-nats-server.mjs'
import { cacheFolder, storeNatsServer } from './nats-server-cache.mjs'
import { unpackDebianNatsServer } from './nats-server-debian.mjs'
import { unpackReleasedNatsServer } from './nats-server-release.mjs'
import { oldestNatsServer } from './nats-server-version.mjs'

const sources = [
  { name: 'its release page', unpack: unpackReleasedNatsServer },
  { name: "the Debian mirror of this machine's apt", unpack: unpackDebianNatsServer },
]

/** `{ path, sha256 }` of the nats-server to use. Throws one sentence with the ways out when there is none. */
export async function bringNatsServer({ env, say }) {
  const installed = findInstalledNatsServer(env)
  if (installed) return installed

  const failures = []
  for (const source of sources) {
    const folder = mkdtempSync(join(tmpdir(), 'duologue-nats-server-'))
    try {
      say(`downloading nats-server from ${source.name}`)
      return storeNatsServer(await source.unpack(folder, say), cacheFolder(env))
    } catch (error) {
      failures.push(`${source.name}: ${reasonOf(error)}`)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  throw new Error(
    `no nats-server ≥ ${oldestNatsServer} was found or could be downloaded (${failures.join('; ')}): ` +
      'install one on PATH, or set NATS_URL to a server that runs',
  )
}

function reasonOf(error) {
  return error.cause?.message ? `${error.message} (${error.cause.message})` : error.message
}
