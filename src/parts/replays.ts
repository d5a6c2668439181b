/** Replays of stored conversations on a draft: the store, the machines of this deployment, and those that are proposed. */
import { lintMachine } from '../actors/host-lint.ts'
import type { Moment, Parting } from '../actors/replay-on-draft.ts'
import type { JournalledEvent } from '../actors/replay-on-draft.ts'
import type { ReadModel } from '../actors/read-model.ts'
import { replayMany } from '../actors/replay-many.ts'
import type { ReplayedConversation } from '../actors/replay-many.ts'
import type { JournalFilter, ReviewStore } from '../actors/review-store.ts'
import { toPlaces } from '../charts/review/parting.ts'
import type { PartingPlaces, PersistedPlace } from '../charts/review/parting.ts'
import type { ReplayDifference, ReplayLine, ReplayMoment, ReplayTotals } from '../charts/review/replay-line.ts'
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'

export type Replays = {
  /** `draft`: the machine to run them on. Lines come as they are known; the last one is `done`. */
  run(draft: MachineRegistration, filter: JournalFilter, conversationsMax: number): AsyncGenerator<ReplayLine>
}

export type ReplaysOptions = {
  readonly store: Pick<ReviewStore, 'listJournals'>
  readonly readModel: Pick<ReadModel, 'listEvents'>
  readonly machines: MachineRegistry
}

/** A journal that is longer is not run: it would be tens of megabytes. */
const eventsMax = 20_000
const eventsPerPage = 200
const progressEveryMs = 100
/** Findings of the host lint that would hold this process for ever. */
const endlessRules: readonly string[] = ['max-iterations', 'always-cycle']

export function createReplays({ store, readModel, machines }: ReplaysOptions): Replays {
  return {
    async *run(draft, filter, conversationsMax) {
      const machine = draft.machine.id
      const own = machines[machine]
      if (own === undefined) throw new Error(`this deployment has no machine ${machine}`)
      const endless = lintMachine(draft).find(({ rule }) => endlessRules.includes(rule))
      if (endless !== undefined) {
        yield { kind: 'failed', reason: `the draft is not run: ${endless.sentence}` }
        return
      }
      const pair = { own, draft }
      const readLong = async (id: string) => readLongJournal(readModel, id)
      const began = performance.now()
      const totals = { done: 0, steps: 0, same: 0, differs: 0, otherWay: 0, unknown: 0 }
      const toTotals = (): ReplayTotals => ({ ...totals, ms: Math.round(performance.now() - began) })
      let toldAt = began
      const options = { store, readLong, pair, filter: { ...filter, machine }, conversationsMax }
      for await (const conversation of replayMany(options)) {
        count(totals, conversation)
        const line = toLine(conversation, own, draft)
        if (line !== null) yield line
        if (performance.now() - toldAt < progressEveryMs) continue
        toldAt = performance.now()
        yield { kind: 'progress', ...toTotals() }
      }
      yield { kind: 'done', ...toTotals() }
    },
  }
}

async function readLongJournal(
  readModel: Pick<ReadModel, 'listEvents'>,
  id: string,
): Promise<JournalledEvent[] | null> {
  const journal: JournalledEvent[] = []
  for (let cursor: string | null = null; journal.length <= eventsMax;) {
    const page = await readModel.listEvents(id, { cursor, limit: eventsPerPage })
    for (const { version, event, hash, machineVersion, occurredAt } of page?.items ?? []) {
      journal.push({ version, event, hash, machineVersion, occurredAt: Date.parse(occurredAt) })
    }
    cursor = page?.next ?? null
    if (cursor === null) return journal
  }
  return null
}

type Counts = { -readonly [name in Exclude<keyof ReplayTotals, 'ms'>]: number }

function count(totals: Counts, { replay }: ReplayedConversation): void {
  totals.done += 1
  totals[replay.kind] += 1
  if (replay.kind !== 'unknown') totals.steps += replay.steps
  if (replay.kind === 'differs' && replay.differences[0] === 'way') totals.otherWay += 1
}

function toLine(
  { id, openedAt, replay }: ReplayedConversation,
  own: MachineRegistration,
  draft: MachineRegistration,
): ReplayDifference | { readonly kind: 'unknown'; readonly id: string; readonly reason: string } | null {
  if (replay.kind === 'same') return null
  if (replay.kind === 'unknown') return { kind: 'unknown', id, reason: replay.reason }
  const { first, ...rest } = replay
  return { ...rest, id, openedAt, first: toFirst(first, own, draft) }
}

function toFirst(
  { version, event, at, was, would, before }: Parting,
  own: MachineRegistration,
  draft: MachineRegistration,
): ReplayDifference['first'] {
  const wasPlaces = was === null ? null : toSide(own, before?.was, was, event)
  const wouldPlaces = toSide(draft, before?.would, would, event)
  return {
    version,
    event,
    at: new Date(at).toISOString(),
    was: was === null ? null : toReplayMoment(was, wasPlaces),
    would: toReplayMoment(would, wouldPlaces),
    wasPlaces,
    wouldPlaces,
  }
}

const nowhere: PartingPlaces = { from: [], to: [], transitions: [] }

/** What the draft could not do, or not stand in, has no place. */
function toSide(
  { machine }: MachineRegistration,
  before: string | undefined,
  moment: Moment,
  event: object,
): PartingPlaces {
  const taken = moment.note === null ? (event as { readonly type: string }) : null
  const place = before === undefined || before === '' ? null : (JSON.parse(before) as PersistedPlace)
  try {
    return toPlaces({ machine, before: place, after: moment.value, event: taken })
  } catch {
    return nowhere
  }
}

function toReplayMoment({ status, sends, asks, note }: Moment, places: PartingPlaces | null): ReplayMoment {
  return { status, states: places?.to ?? [], sends, asks, note }
}
