/** The tools of this project's node_modules, run on the Node that Duologue runs on, whichever Node runs this. */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findNode } from '../setup/node-runtime.mjs'

export const root = fileURLToPath(new URL('../..', import.meta.url))

const bin = join(root, 'node_modules', '.bin')
const baseEnv = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }

/**
 * Runs a tool's script; resolves to `{ isRight, output, seconds }`. With `isLive` it prints as it goes,
 * and `output` is empty.
 */
export function runTool(script, args, { isLive = false, env: extraEnv = {} } = {}) {
  const env = { ...baseEnv, ...extraEnv }
  const startedAt = performance.now()
  const stdio = isLive ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe']
  const child = spawn(findNode({ root, env }), [join(root, 'node_modules', script), ...args], { cwd: root, env, stdio })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text))
  return new Promise((resolve) => {
    const end = (isRight) => resolve({ isRight, output, seconds: (performance.now() - startedAt) / 1_000 })
    child.once('error', (error) => {
      output += error.message
      end(false)
    })
    child.once('close', (code) => end(code === 0))
  })
}
