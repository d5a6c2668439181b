/** `duologue spool status|drain`: the events that wait in the database for the log. */
import { readConfig } from '../config.ts'
import { processClock } from '../infra/process/clock.ts'
import { drainSpool } from '../infra/spool/drain-spool.ts'
import { createSpoolStore } from '../infra/supabase/spool.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withDeployment } from './open-deployment.ts'
import type { OpenedDeployment } from './open-deployment.ts'
import { withStore } from './open-store.ts'
import { toSentence } from './sentence.ts'

/** A node that cannot reach the log keeps the spool from being closed; the command waits this long for it. */
const waitMs = 5_000
const askEveryMs = 250

export async function runSpool({ words, env }: CommandCall): Promise<CommandResult> {
  const [verb, ...more] = words
  if (more.length > 0 || (verb !== 'status' && verb !== 'drain')) throw new WrongUse('spool wants `status` or `drain`')
  const config = readConfig(env)
  if (verb === 'drain') return withDeployment(config, drain)
  return withStore(config, { mayMake: false }, async (_store, client) => {
    const { phase, size, oldestAt, drainer } = await createSpoolStore(client).spoolStatus()
    const oldest = oldestAt === null ? null : new Date(oldestAt).toISOString()
    const lines = [`phase    ${phase}`, `events   ${size}${oldest === null ? '' : `, the oldest of ${oldest}`}`]
    if (drainer !== null) lines.push(`drainer  ${drainer}`)
    return { exitCode: 0, value: { phase, size, oldestAt: oldest, drainer }, text: lines.join('\n') }
  })
}

async function drain({ nodeId, log, database }: OpenedDeployment): Promise<CommandResult> {
  const giveUpAt = processClock.monotonic() + waitMs
  let left = 0
  for (let drained = 0; ;) {
    const result = await drainSpool({
      nodeId,
      publisher: log.publisher,
      store: database.spool,
      answered: ({ size }) => (left = size),
      published: () => {},
    })
    drained += result.drained
    const value = { drained, left, drainer: (await database.spool.spoolStatus()).drainer }
    switch (result.kind) {
      case 'done':
        return { exitCode: 0, value: { outcome: 'drained', ...value }, text: `drained ${drained}; the spool is empty` }
      case 'log-failed': {
        const reason = toSentence(result.error)
        const text = `drained ${drained}, ${left} are left: ${reason}`
        return { exitCode: 1, value: { outcome: 'log-failed', ...value, reason }, text }
      }
      case 'elsewhere':
        if (processClock.monotonic() < giveUpAt) break
        return {
          exitCode: 1,
          value: { outcome: 'elsewhere', ...value },
          text: `drained ${drained}, ${left} are left: ${value.drainer ?? 'another node'} is draining them`,
        }
      case 'waiting':
        if (processClock.monotonic() < giveUpAt) break
        return {
          exitCode: 0,
          value: { outcome: 'drained', ...value },
          text: `drained ${drained}; the spool is empty and stays open: a node cannot reach the log`,
        }
    }
    await new Promise<void>((resolve) => void processClock.schedule(askEveryMs, resolve))
  }
}
