/** `duologue replay --on`: which of the last conversations would have gone another way on a proposed machine. */
import type { JournalFilter } from '../actors/review-store.ts'
import type { ReplayDifference, ReplayLine, ReplayMoment, ReplayTotals } from '../charts/review/replay-line.ts'
import { readConfig } from '../config.ts'
import { processClock } from '../infra/process/clock.ts'
import { createReviewStore } from '../infra/supabase/reviews.ts'
import { toUserKey } from '../infra/twilio/address.ts'
import { statuses } from '../machines/status.ts'
import { loadDraft } from '../parts/draft.ts'
import { withKeptMaps } from '../parts/in-flight.ts'
import { loadMachines } from '../parts/machines.ts'
import { createReplays } from '../parts/replays.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { readSince } from './reconcile.ts'
import { toPrintable } from './sentence.ts'

const lastUsual = 1_000
const lastMax = 1_000_000
/** A person reads the first ones; --json has them all. */
const shownMax = 20

export async function runReplayOn({ words, options, env }: CommandCall, draftName: string): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('replay --on runs many conversations: it takes no id')
  const last = readLast(options['last'])
  const filter = readFilter(options)
  const config = readConfig(env)
  const machineName = typeof options['machine'] === 'string' ? options['machine'] : 'conversation'
  const machines = withKeptMaps(await loadMachines(config.machines))
  const draft = await loadDraft(draftName)
  const proposed = draft.machines[machineName]
  if (proposed === undefined) throw new Error(`${draftName} has no machine ${machineName}`)
  const lines: ReplayLine[] = []
  await withStore(config, { mayMake: false }, async (readModel, client) => {
    const replays = createReplays({ store: createReviewStore(client), readModel, machines })
    for await (const line of replays.run(proposed, filter, last)) if (line.kind !== 'progress') lines.push(line)
  })
  const failed = lines.find((line) => line.kind === 'failed')
  const totals = lines.find((line) => line.kind === 'done')
  if (totals === undefined) throw new Error(failed?.reason ?? 'the replay ended before its end')
  const differing = lines.filter((line) => line.kind === 'differs')
  const unknown = lines.filter((line) => line.kind === 'unknown')
  const { kind: _kind, ...counts } = totals
  const isOther = differing.some(({ differences }) => differences[0] !== 'way')
  return {
    exitCode: isOther ? 1 : 0,
    value: { draft: draftName, machine: machineName, totals: counts, differing, unknown },
    text: [
      describeTotals(counts),
      ...differing.slice(0, shownMax).map(describeDifference),
      ...(differing.length > shownMax ? [`  and ${differing.length - shownMax} more: --json has them all`] : []),
      ...unknown.slice(0, shownMax).map(({ id, reason }) => `  ${id} could not be run: ${toPrintable(reason)}`),
    ].join('\n'),
  }
}

function readLast(value: string | boolean | undefined): number {
  if (value === undefined) return lastUsual
  if (typeof value !== 'string' || !/^\d{1,7}$/u.test(value) || Number(value) < 1 || Number(value) > lastMax)
    throw new WrongUse(`--last must be a number from 1 to ${lastMax}`)
  return Number(value)
}

function readFilter({ status: name, address, since }: CommandCall['options']): JournalFilter {
  const status = statuses.find((one) => one === name)
  if (name !== undefined && status === undefined) throw new WrongUse(`--status is one of ${statuses.join(', ')}`)
  const changedAfter = since === undefined ? null : new Date(readSince(since, processClock.now())).toISOString()
  return {
    ...(status !== undefined && { status }),
    ...(typeof address === 'string' && { address: toUserKey(address) ?? address }),
    ...(changedAfter !== null && { changedAfter }),
  }
}

function describeTotals({ done, steps, same, differs, otherWay, unknown, ms }: ReplayTotals): string {
  const perSecond = ms === 0 ? '' : `, ${Math.round((done / ms) * 1_000)} a second`
  return [
    `${done} conversations, ${steps} steps${perSecond}: ${same} the same, ${differs - otherWay} would go otherwise`,
    ...(otherWay > 0 ? [`${otherWay} end the same by another way`] : []),
    ...(unknown > 0 ? [`${unknown} could not be run`] : []),
  ].join(', ')
}

function describeDifference({ id, ends, breaks, differences, first }: ReplayDifference): string {
  const end = ends.was === ends.would ? ends.was : `${ends.was}, would be ${ends.would}`
  const type = (first.event as { readonly type?: string }).type ?? ''
  return [
    `  ${id} ${breaks === null ? end : `would break: ${toPrintable(breaks)}`} (${differences.join(', ')})`,
    `    from step ${first.version}, ${type}`,
    `      was    ${first.was === null ? 'nothing' : describeMoment(first.was)}`,
    `      would  ${describeMoment(first.would)}`,
  ].join('\n')
}

function describeMoment({ states, status, sends, asks, note }: ReplayMoment): string {
  const doings = [...sends, ...asks].map((doing) => toPrintable(JSON.stringify(doing).slice(0, 160)))
  return [states.length === 0 ? status : states.join(', '), ...doings, ...(note === null ? [] : [note])].join('; ')
}
