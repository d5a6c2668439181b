/** `duologue reconcile --since <time>`: brings back what the provider received for us and the log never got. */
import { readConfig } from '../config.ts'
import { processClock } from '../infra/process/clock.ts'
import { createIdentityResolver } from '../infra/identity/identity-resolver.ts'
import { reconcile } from '../infra/spool/reconcile.ts'
import { openSpooling } from '../infra/spool/spooling-publisher.ts'
import { findKnown } from '../parts/care.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withDeployment } from './open-deployment.ts'
import type { OpenedDeployment } from './open-deployment.ts'

const leaseMs = 60_000
const unitsMs: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000 }

export async function runReconcile({ words, options, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('reconcile takes no arguments but --since')
  const since = readSince(options['since'], processClock.now())
  return withDeployment(readConfig(env), async (opened) => run(opened, since))
}

/** A moment (`2026-11-25T08:00:00Z`, `2026-11-25`) or how long ago (`30m`, `2h`, `1d`), ms since 1970. */
export function readSince(value: string | boolean | undefined, now: number): number {
  if (typeof value !== 'string') throw new WrongUse('reconcile wants --since <time>')
  const [, number, unit = ''] = /^(\d{1,6})([mhd])$/u.exec(value) ?? []
  if (number !== undefined) return now - Number(number) * (unitsMs[unit] ?? 0)
  const at = /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/u.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(at)) {
    throw new WrongUse('--since must be a moment such as 2026-11-25T08:00:00Z, or how long ago such as 30m, 2h or 1d')
  }
  if (at > now) throw new WrongUse('--since lies in the future')
  return at
}

async function run(opened: OpenedDeployment, since: number): Promise<CommandResult> {
  const { nodeId, telemetry, log, database, provider } = opened
  const isAlone = database.isEmbedded
  const ports = { publisher: log.publisher, store: database.spool, log, clock: processClock, telemetry, nodeId }
  const spooling = openSpooling({ ...ports, isAlone })
  const { clock } = ports
  const resolver = createIdentityResolver({ store: database.identities, clock, telemetry, isAlone })
  let spooled = 0
  try {
    // Nodes may be waiting for the very same.
    const due = await database.logState.claimReconciliation(nodeId, leaseMs)
    const result = await reconcile(
      {
        listReceived: provider.listReceived,
        findKnown: async (address, ids) => findKnown(database, address, ids),
        publish: async (event) => {
          if ((await spooling.publish(await resolver.resolve(event))) === 'spooled') spooled += 1
        },
        telemetry,
      },
      since,
    )
    if (due.isMine && due.since !== null && since <= due.since) {
      await database.logState.finishReconciliation(nodeId, due.incidents)
    }
    const { listed, known, recovered } = result
    const text = [
      `Twilio lists ${listed} messages since ${new Date(since).toISOString()}; ${known} are stored here`,
      `published ${recovered.length} as recovered${spooled > 0 ? `, ${spooled} of them to the spool` : ''}`,
      ...recovered.map((providerId) => `  ${providerId}`),
    ].join('\n')
    return { exitCode: 0, value: { since: new Date(since).toISOString(), listed, known, spooled, recovered }, text }
  } finally {
    resolver.stop()
    await spooling.stop()
  }
}
