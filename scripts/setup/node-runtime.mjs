/** The Node that runs Duologue: 24 or later, which runs TypeScript as it is. npm may go on with an older one. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

const majorMin = 24
const binaryName = process.platform === 'win32' ? 'node.exe' : 'node'

/** Path of a Node that is new enough: the project's own, else the one that runs this, else one on PATH. Throws a sentence. */
export function findNode({ root, env }) {
  if (majorOf(process.version) >= majorMin) return process.execPath
  const folders = [
    join(root, 'node_modules', '.bin'),
    ...(env.PATH ?? '').split(delimiter).filter((folder) => folder !== ''),
  ]
  const found = folders
    .map((folder) => join(folder, binaryName))
    .find((path) => existsSync(path) && majorOf(versionOf(path)) >= majorMin)
  if (found) return found
  throw new Error(
    `Duologue needs Node ${majorMin} or later, this is ${process.version} and npm has none for ${process.platform} on ${process.arch}: install it and try again`,
  )
}

function versionOf(path) {
  try {
    return execFileSync(path, ['--version'], { encoding: 'utf8', timeout: 5_000 }).trim()
  } catch {
    return 'v0'
  }
}

function majorOf(version) {
  return Number(/^v(\d+)\./u.exec(version)?.[1] ?? 0)
}
