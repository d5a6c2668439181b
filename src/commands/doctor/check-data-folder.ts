/** The data folder: is it there, whose is it, is there room. It is taken for as long as the doctor looks. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

import type { Config } from '../../config.ts'
import { DataFolderInUse, openDataFolder } from '../../infra/data-folder/data-folder.ts'
import type { DataFolder } from '../../infra/data-folder/data-folder.ts'
import { toSentence } from '../sentence.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const check = 'data folder'
const gibibyte = 1_024 ** 3
const roomBadBytes = 0.25 * gibibyte
const roomWarnBytes = 2 * gibibyte

export type DataFolderCheck = {
  readonly findings: readonly Finding[]
  /** Null where none is needed, none is there yet, or another process has it. */
  readonly folder: DataFolder | null
}

export async function checkDataFolder(config: Config): Promise<DataFolderCheck> {
  const { nats, supabase, twilio, apiToken, dataDir } = config
  const isNeeded = nats === null || supabase === null || twilio === null || apiToken === null
  if (!isNeeded) return { findings: [ok(check, 'not needed: nothing is embedded')], folder: null }
  const path = resolve(dataDir)
  const room = checkRoom(findExisting(path))
  if (!existsSync(path)) return { findings: [checkParent(path), room], folder: null }
  try {
    const folder = await openDataFolder(path)
    return { findings: [ok(check, `${path}, in use by nobody`), room], folder }
  } catch (error) {
    return { findings: [toFinding(error, path), room], folder: null }
  }
}

function toFinding(error: unknown, path: string): Finding {
  if (!(error instanceof DataFolderInUse)) return bad(check, toSentence(error), `let this user read and write ${path}`)
  return warn(check, toSentence(error), 'stop that process to have the embedded log and database checked')
}

function checkParent(path: string): Finding {
  const parent = findExisting(path)
  try {
    accessSync(parent, constants.W_OK | constants.X_OK)
    return ok(check, `${path} does not exist yet; the first start makes it`)
  } catch {
    return bad(check, `${path} cannot be made`, `let this user write ${parent}, or set DUOLOGUE_DATA_DIR`)
  }
}

function checkRoom(path: string): Finding {
  const { bavail, bsize } = statfsSync(path)
  const bytes = bavail * bsize
  const text = `${(bytes / gibibyte).toFixed(1)} GiB free`
  const advice = 'make room: the log refuses messages when the disk is full'
  if (bytes < roomBadBytes) return bad('disk', text, advice)
  return bytes < roomWarnBytes ? warn('disk', text, advice) : ok('disk', text)
}

function findExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : findExisting(dirname(path))
}
