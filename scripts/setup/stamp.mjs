/**
 * What the last complete set-up was made from, and what it found: `node_modules/.duologue-setup.json`,
 * written last. `natsServer` in it is where the service looks for its nats-server.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const scriptsFolder = import.meta.dirname ?? new URL('.', import.meta.url).pathname

export function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampPath(root), 'utf8'))
  } catch {
    return null
  }
}

export function writeStamp(root, stamp) {
  mkdirSync(join(root, 'node_modules'), { recursive: true })
  const draft = `${stampPath(root)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(stamp, null, 2)}\n`)
  renameSync(draft, stampPath(root))
}

/**
 * The hash of everything that the packages are made from: lockfile, these scripts, platform. The version of Node is
 * not part of it: the first set-up runs on the system's, later ones on the one in node_modules, and no package is built for one.
 */
export function packagesKey(root) {
  const scripts = readdirSync(scriptsFolder)
    .filter((name) => name.endsWith('.mjs'))
    .toSorted()
    .map((name) => join(scriptsFolder, name))
  return hashOf(
    root,
    [join(root, 'package-lock.json'), join(scriptsFolder, '..', 'setup.mjs'), ...scripts],
    `${process.platform} ${process.arch}`,
  )
}

/** The hash of the pages' sources (the charts' drawing is one of them) and of the lockfile that their tools come from; null when there is nothing to build. */
export function pagesKey(root) {
  const web = join(root, 'web')
  if (!existsSync(join(web, 'vite.config.ts'))) return null
  const folders = [web, join(root, 'src', 'charts')].filter((folder) => existsSync(folder))
  const sources = folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((path) => !path.startsWith(join(web, 'dist')))
    .toSorted((a, b) => (a < b ? -1 : 1))
  return hashOf(root, [join(root, 'package-lock.json'), ...sources], '')
}

function hashOf(root, paths, salt) {
  const hash = createHash('sha256').update(salt)
  for (const path of paths) hash.update(`\0${relative(root, path)}\0`).update(readFileSync(path))
  return hash.digest('hex')
}

function stampPath(root) {
  return join(root, 'node_modules', '.duologue-setup.json')
}
