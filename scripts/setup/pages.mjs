/** The pages, built by Vite from web/ into web/dist. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export function buildPages({ root, node, say }) {
  say('building the pages')
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js')
  const built = spawnSync(node, [vite, 'build', 'web', '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (built.status !== 0)
    throw new Error(`building the pages ended with ${built.signal ?? `exit code ${built.status}`}`)
}
