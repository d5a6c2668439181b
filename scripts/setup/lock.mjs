/**
 * One set-up at a time in a clone. The lock is the highest numbered file of a folder; each names its
 * holder. Whoever finds the highest one released, or its holder dead, creates the next number, which only one
 * process can (`link` refuses an existing name), and holds the lock if no higher number exists after that.
 * Numbers only grow: a slow taker, who judged an older file, can never push out a live holder.
 */
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive, startTimeOf } from './process-identity.mjs'

const pollMs = 100
const waitMsMax = 15 * 60_000

/** Waits until this process holds the lock; `onWait(holder)` is called once if it has to. Returns its release. */
export async function takeLock(folder, onWait) {
  mkdirSync(folder, { recursive: true })
  const limit = Date.now() + waitMsMax
  let hasWaited = false
  while (Date.now() < limit) {
    const attempt = tryToTake(folder)
    if (attempt.kind === 'taken') return attempt.release
    if (!hasWaited) onWait(attempt.holder)
    hasWaited = true
    await delay(pollMs)
  }
  throw new Error(`another set-up did not end within ${waitMsMax / 60_000} minutes`)
}

function tryToTake(folder) {
  const newest = numbersIn(folder)[0] ?? 0
  const holder = newest === 0 ? null : readHolder(join(folder, `lock-${newest}`))
  if (holder !== null && isAlive(holder)) return { kind: 'held', holder }

  const mine = newest + 1
  const path = join(folder, `lock-${mine}`)
  if (!createWhole(folder, path, { pid: process.pid, startTime: startTimeOf(process.pid) })) {
    return { kind: 'held', holder: readHolder(path) }
  }
  if (numbersIn(folder)[0] !== mine) {
    rmSync(path, { force: true })
    return { kind: 'held', holder: null }
  }
  for (const older of numbersIn(folder).filter((number) => number < mine))
    rmSync(join(folder, `lock-${older}`), { force: true })
  return { kind: 'taken', release: () => replaceWhole(folder, path, { released: true }) }
}

/** Highest first. */
function numbersIn(folder) {
  return readdirSync(folder)
    .map((name) => Number(/^lock-(\d+)$/u.exec(name)?.[1]))
    .filter((number) => number > 0)
    .toSorted((a, b) => b - a)
}

/** Who holds it: `{ pid, startTime }`, or null when it was released or is gone. */
function readHolder(path) {
  try {
    const holder = JSON.parse(readFileSync(path, 'utf8'))
    return holder.released ? null : holder
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return null
    throw error
  }
}

function createWhole(folder, path, content) {
  const draft = writeDraft(folder, content)
  try {
    linkSync(draft, path)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

function replaceWhole(folder, path, content) {
  renameSync(writeDraft(folder, content), path)
}

function writeDraft(folder, content) {
  const draft = join(folder, `draft-${randomBytes(8).toString('hex')}`)
  writeFileSync(draft, JSON.stringify(content))
  return draft
}
