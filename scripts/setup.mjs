/**
 * Sets a clone up: packages, Node 24, nats-server, pages. npm runs it before start, test, check and bench,
 * on whatever Node there is, so it and its modules are plain JavaScript that Node 20 can parse, and use no package.
 *
 * Always true: when the stamp agrees with what is there, nothing is done. The stamp is written last, so
 * an interrupted set-up is done again. Two set-ups of one clone never run at the same time.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isIntact } from './setup/find-nats-server.mjs'
import { takeLock } from './setup/lock.mjs'
import { bringNatsServer } from './setup/nats-server.mjs'
import { findNode } from './setup/node-runtime.mjs'
import { installPackages } from './setup/packages.mjs'
import { buildPages } from './setup/pages.mjs'
import { packagesKey, pagesKey, readStamp, writeStamp } from './setup/stamp.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const env = process.env
const say = (sentence) => console.error(`setup: ${sentence}`)

try {
  if (!isDone()) await setUpAlone()
} catch (error) {
  say(error.message)
  process.exitCode = 1
}

async function setUpAlone() {
  const release = await takeLock(join(root, '.setup'), (holder) => {
    say(`waiting for another set-up${holder ? ` (process ${holder.pid})` : ''}`)
  })
  try {
    if (isDone()) say('the other set-up did it')
    else await setUp()
  } finally {
    release()
  }
}

async function setUp() {
  const before = readStamp(root)
  const packages = packagesKey(root)
  if (before?.packages !== packages) await installPackages({ root, env, say })
  const node = findNode({ root, env })
  const natsServer = env.NATS_URL ? null : await bringNatsServer({ env, say })
  const pages = pagesKey(root)
  if (pages !== null && !arePagesBuilt(before, pages)) buildPages({ root, node, say })
  writeStamp(root, { packages, pages, natsServer })
  say('done')
}

function isDone() {
  const stamp = readStamp(root)
  if (stamp?.packages !== packagesKey(root)) return false
  const hasNatsServer = env.NATS_URL ? true : stamp.natsServer !== null && isIntact(stamp.natsServer)
  const pages = pagesKey(root)
  return hasNatsServer && (pages === null || arePagesBuilt(stamp, pages))
}

function arePagesBuilt(stamp, pages) {
  return stamp?.pages === pages && existsSync(join(root, 'web', 'dist'))
}
