/**
 * What the sources of machines are called: a guard may answer otherwise under the same name, and then the chart is the
 * same and the machine another. Two clones of the same commit give the same hash.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = 'src/machines'
const charactersShown = 16

/** `sources`: texts by path in the repository. */
export function hashSources(sources: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256')
  for (const [path, text] of [...sources].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\n${text.length}\n${text.replaceAll('\r\n', '\n')}\n`)
  }
  return hash.digest('hex').slice(0, charactersShown)
}

/** Those of this clone. `module`: the text of a module that stands beside them. */
export function hashOwnSources(module?: string): string {
  const paths = readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath.replaceAll('\\', '/').slice(root.length)}/${entry.name}`)
  const sources = new Map(paths.map((path) => [path, readFileSync(`${root}${path}`, 'utf8')]))
  if (module !== undefined) sources.set('', module)
  return hashSources(sources)
}
