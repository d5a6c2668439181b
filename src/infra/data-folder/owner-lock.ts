/**
 * The lock of a data folder, in two files. `owner.lock` carries the lock itself: a write lock of the operating system,
 * taken through SQLite, which ends with its process however that ends; so it cannot be stale, two starts at
 * the same instant cannot both get it, and no pid of another container confuses it. `owner.json` says whose it
 * is, for the sentence that a second start ends with, and which children that process started.
 *
 * Always true: `owner.json` is written by the lock's holder only, and as a whole.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../../scripts/setup/process-identity.mjs'

export type ProcessIdentity = { readonly pid: number; readonly startTime: string | null }
export type Owner = ProcessIdentity & { readonly startedAt: string; readonly nodeVersion: string }
export type RecordedChild = ProcessIdentity & { readonly name: string; readonly commandLine: string | null }
export type OwnerRecord = { readonly owner: Owner | null; readonly children: readonly RecordedChild[] }

/** Another process has the folder; the message names it. */
export class DataFolderInUse extends Error {}

const sqliteBusy = 5
const ownerWaitMs = 1_000
const ownerPollMs = 10

/** A lock whose object is collected is released, so the held ones are kept here. */
const held = new Set<DatabaseSync>()

/** Takes the lock and returns its release. Throws `DataFolderInUse` when another process (or this one) holds it. */
export async function lockFolder(folder: string): Promise<() => void> {
  const lock = new DatabaseSync(join(folder, 'owner.lock'), { timeout: 0 })
  try {
    // A write transaction without a write: one per file, and no journal file for it.
    lock.exec('begin immediate')
  } catch (error) {
    lock.close()
    if ((error as { errcode?: number }).errcode === sqliteBusy) throw inUse(folder, await waitForLivingOwner(folder))
    throw new Error(`could not lock the data folder ${folder}`, { cause: error })
  }
  // On a file system without locks both would get it; the record of a living owner still keeps the second out.
  const owner = readOwnerRecord(folder).owner
  if (owner !== null && isAlive(owner)) {
    lock.close()
    throw inUse(folder, owner)
  }
  held.add(lock)
  return () => {
    if (held.delete(lock)) lock.close()
  }
}

/** Nobody's, when there is none, or when a power failure tore it: that ended everybody it could name. */
export function readOwnerRecord(folder: string): OwnerRecord {
  try {
    return JSON.parse(readFileSync(join(folder, 'owner.json'), 'utf8')) as OwnerRecord
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return { owner: null, children: [] }
    throw new Error(`could not read who owned the data folder ${folder}`, { cause: error })
  }
}

export function writeOwnerRecord(folder: string, record: OwnerRecord): void {
  const draft = join(folder, 'owner.json.draft')
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  renameSync(draft, join(folder, 'owner.json'))
}

function inUse(folder: string, owner: Owner | null): DataFolderInUse {
  const who = owner === null ? 'another process' : `process ${owner.pid}, started at ${owner.startedAt}`
  return new DataFolderInUse(`data folder ${folder} is in use by ${who}`)
}

/** The holder may have the lock for some milliseconds before it says who it is. */
async function waitForLivingOwner(folder: string): Promise<Owner | null> {
  const limit = performance.now() + ownerWaitMs
  while (performance.now() < limit) {
    const { owner } = readOwnerRecord(folder)
    if (owner !== null && isAlive(owner)) return owner
    await delay(ownerPollMs)
  }
  return null
}
