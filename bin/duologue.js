#!/usr/bin/env node
/**
 * The command line's door. npx starts it on the system's Node, so it is plain JavaScript: on a Node that
 * runs TypeScript (24 or later) it becomes src/cli.ts, on an older one it starts the project's own and passes
 * on arguments, signals and exit code.
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { findNode } from '../scripts/setup/node-runtime.mjs'

const cli = new URL('../src/cli.ts', import.meta.url)

try {
  const node = findNode({ root: fileURLToPath(new URL('..', import.meta.url)), env: process.env })
  if (node === process.execPath) await import(cli.href)
  else handOver(node)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(cli), ...process.argv.slice(2)], { stdio: 'inherit' })
  const forward = (signal) => child.kill(signal)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)
  // A terminal sends Ctrl-C to the child as well.
  process.on('SIGINT', process.stdin.isTTY ? () => {} : forward)
  child.once('error', (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
