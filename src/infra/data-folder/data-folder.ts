/**
 * The folder where the embedded parts keep their data. Two nats-servers, or two PGlites, over the same data ruin it
 * without a word; so the folder has one owner. Whoever holds a `DataFolder` knows that no other process does, that
 * every former owner is dead, and that the children of former owners are gone.
 */
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { commandLineOf, startTimeOf } from '../../../scripts/setup/process-identity.mjs'
import { endOrphans, isRunning } from './orphans.ts'
import { lockFolder, type RecordedChild, readOwnerRecord, writeOwnerRecord } from './owner-lock.ts'
import { readOrCreateSecret } from './secret.ts'

export { DataFolderInUse } from './owner-lock.ts'

export type DataFolder = {
  /** Absolute. */
  readonly path: string
  /** Notes a child that writes into the folder, right after it was started, so that a next owner can end it. */
  readonly recordChild: (child: { readonly name: string; readonly pid: number }) => void
  /** The secret of this name, made by `make` at the first time and kept from then on. */
  readonly readOrCreateSecret: (name: string, make: () => string) => string
  /** Gives the folder up; to be called when nothing writes into it any more. */
  readonly release: () => void
}

/**
 * Makes the folder if it is missing, takes its lock and ends what former owners left running. Throws
 * `DataFolderInUse`, which names the other process, when there is one.
 */
export async function openDataFolder(path: string): Promise<DataFolder> {
  const folder = resolve(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const unlock = await lockFolder(folder)
  const owner = {
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    startedAt: new Date(Date.now() - process.uptime() * 1_000).toISOString(),
    nodeVersion: process.version,
  }
  const left = readOwnerRecord(folder).children
  try {
    // Named as the owner already, with the orphans still noted: if we die while we end them, the next one goes on.
    writeOwnerRecord(folder, { owner, children: left })
    await endOrphans(left)
    writeOwnerRecord(folder, { owner, children: [] })
  } catch (error) {
    writeOwnerRecord(folder, { owner: null, children: left })
    unlock()
    throw error
  }

  let children: readonly RecordedChild[] = []
  let isOpen = true
  return {
    path: folder,
    recordChild({ name, pid }) {
      const child = { name, pid, startTime: startTimeOf(pid), commandLine: commandLineOf(pid) }
      children = [...children.filter(isRunning), child]
      writeOwnerRecord(folder, { owner, children })
    },
    readOrCreateSecret: (name, make) => readOrCreateSecret(folder, name, make),
    release() {
      if (!isOpen) return
      isOpen = false
      writeOwnerRecord(folder, { owner: null, children: children.filter(isRunning) })
      unlock()
    },
  }
}
