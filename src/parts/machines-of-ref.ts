/**
 * The machines of another state of this repository. Its `src/machines` is written into a temporary folder
 * beside a link to the packages of today, and imported there: nothing is checked out, nothing changes.
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'

import type { MachineRegistry } from '../machines/registry.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = 'src/machines'
const bytesMax = 16 * 1024 * 1024

export type MachinesOfRef = {
  readonly registry: MachineRegistry
  /** A file of the commit, by its path in the repository. Throws when there is none. */
  readonly readFile: (path: string) => Promise<string>
  /** The files of its machines, by path. */
  readonly sources: ReadonlyMap<string, string>
}

/** Throws when git does not know the ref, or the ref has no machines. */
export async function readMachinesOfRef(ref: string): Promise<MachinesOfRef> {
  const commit = await toCommit(ref)
  const temporary = await mkdtemp(join(tmpdir(), 'duologue-ref-'))
  try {
    const sources = new Map<string, string>()
    for (const path of await listFiles(commit)) {
      const source = await show(commit, path)
      sources.set(path, source)
      await mkdir(dirname(join(temporary, path)), { recursive: true })
      await writeFile(join(temporary, path), source)
    }
    await writeFile(join(temporary, 'package.json'), '{ "type": "module" }\n')
    await symlink(join(root, 'node_modules'), join(temporary, 'node_modules'), 'junction')
    const url = pathToFileURL(join(temporary, folder, 'registered.ts')).href
    const { registeredMachines } = (await import(url)) as { readonly registeredMachines: MachineRegistry }
    return { registry: registeredMachines, readFile: async (path) => show(commit, path), sources }
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function toCommit(ref: string): Promise<string> {
  // A name that begins with a dash would be an option.
  if (!/^[\w@][\w./@^~{}-]*$/u.test(ref)) throw new Error(`'${ref}' is no git ref`)
  try {
    return (await git('rev-parse', '--verify', '--quiet', `${ref}^{commit}`)).trim()
  } catch (error) {
    throw new Error(`git does not know '${ref}'`, { cause: error })
  }
}

async function listFiles(commit: string): Promise<readonly string[]> {
  const names = (await git('ls-tree', '-r', '-z', '--name-only', commit, '--', folder)).split('\0')
  const files = names.filter((name) => name !== '')
  if (files.length === 0) throw new Error(`the commit ${commit.slice(0, 12)} has no ${folder}`)
  return files
}

async function show(commit: string, path: string): Promise<string> {
  return git('show', `${commit}:${path}`)
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', args, { cwd: root, maxBuffer: bytesMax })).stdout
}
