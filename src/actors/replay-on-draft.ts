/**
 * What a draft of a machine would have made of a conversation: its journal is run on the machine that wrote it and on
 * the draft, side by side, in memory. Nothing is performed, asked or stored.
 *
 * 1. What comes from outside (messages, commands, callbacks) and what effects resulted in are the journal's, in its
 *    order and at its moments. The input of the opening is the journal's too.
 * 2. A result reaches the draft only while the draft waits for a child of that id; nothing answers what it asks besides.
 * 3. A timer that both have armed for the same moment fires when the journal says. One that the draft alone has, or for
 *    another moment, fires at its own moment if that lies before the next entry, or, after the last, not after `until`.
 * 4. An event that the draft ignores takes no step. What throws ends the run: the session would be in quarantine.
 * 5. A migration is nothing to the draft, which has run the conversation from its opening.
 * 6. Equal machines differ nowhere, whatever `until` is.
 */
import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration } from '../machines/registry.ts'
import type { Status } from '../machines/status.ts'
import { toCanonicalJson } from './canonical-json.ts'
import { readMigration } from './migrate-snapshot.ts'
import { foldJournal } from './replay.ts'
import type { ReplayedEvent } from './replay.ts'
import { applyEvent, openConversation } from './step.ts'
import type { Order, Step } from './step.ts'

/** `occurredAt`: ms since 1970. */
export type JournalledEvent = ReplayedEvent & { readonly occurredAt: number }

/** What one side made of one moment. */
export type Moment = {
  readonly status: Status
  readonly value: Json
  /** What it would have done, as the chart asked for it: `{action, params}`. */
  readonly sends: readonly Json[]
  /** What it would have asked for: `{child, source, input}`. */
  readonly asks: readonly Json[]
  /** Why nothing was done. */
  readonly note: string | null
}

export type DifferenceKind = 'breaks' | 'status' | 'sends' | 'asks' | 'way'

/** `was` is null where only a timer of the draft fires. */
export type Parting = {
  /** The journal's version; of a timer of the draft alone that of the entry before it. */
  readonly version: number
  readonly event: JsonObject
  readonly at: number
  readonly was: Moment | null
  readonly would: Moment
  /** Where both stood before, as persisted snapshots; null at the opening. */
  readonly before: { readonly was: string; readonly would: string } | null
}

export type DraftReplay =
  /** The journal cannot be run: it was changed, or the chart that wrote it is gone. */
  | { readonly kind: 'unknown'; readonly reason: string }
  | { readonly kind: 'same'; readonly steps: number; readonly ends: Status }
  | {
      readonly kind: 'differs'
      readonly steps: number
      /** Gravest first. */
      readonly differences: readonly DifferenceKind[]
      readonly ends: { readonly was: Status; readonly would: Status }
      readonly breaks: string | null
      readonly first: Parting
    }

export type DraftPair = { readonly own: MachineRegistration; readonly draft: MachineRegistration }

/** `journal`: all entries of one conversation, in version order. `until`: the draft's own timers run up to it, ms. */
export function replayOnDraft(
  { own, draft }: DraftPair,
  journal: readonly JournalledEvent[],
  until: number,
): DraftReplay {
  const fold = foldJournal(own, journal)
  const was: Side = { snapshot: '', status: 'PENDING', timers: new Map() }
  const run = createRun(draft)
  const lived: Lived[] = []
  let steps = 0
  for (;;) {
    const { done, value } = fold.next()
    if (done === true) {
      if (value !== null) return { kind: 'unknown', reason: value.reason }
      break
    }
    const { entry, step } = value
    if (steps > 0) lived.push(...run.passTime(entry.occurredAt, was, entry.version - 1))
    steps += 1
    const before = steps === 1 ? null : { was: was.snapshot, would: run.side.snapshot }
    const fired = findFired(was, entry)
    takeOrders(was, step, entry.occurredAt, fired)
    if (readMigration(entry.event as JsonObject) !== null) continue
    const would = run.take(entry, fired)
    const moment = { version: entry.version, event: entry.event as JsonObject, at: entry.occurredAt, before }
    lived.push({ ...moment, was: toLivedMoment(step, null), would })
  }
  if (steps === 0) return { kind: 'unknown', reason: 'the journal is empty' }
  lived.push(...run.passTime(until + 1, was, steps))
  return judge(lived, steps, was.status, run)
}

function judge(lived: readonly Lived[], steps: number, ended: Status, { side, broken }: Run): DraftReplay {
  const first = lived.find(({ was, would }) => was === null || !isSame(was, would))
  if (first === undefined) return { kind: 'same', steps, ends: ended }
  const collect = (of: (moment: LivedMoment) => readonly Json[]) => ({
    was: toCanonicalJson(lived.flatMap(({ was }) => (was === null ? [] : of(was)))),
    would: toCanonicalJson(lived.flatMap(({ would }) => of(would))),
  })
  const sends = collect((moment) => moment.sends)
  const asks = collect((moment) => moment.asks)
  const breaks = broken()
  const differences: readonly DifferenceKind[] = [
    ...(breaks === null ? [] : (['breaks'] as const)),
    ...(side.status === ended ? [] : (['status'] as const)),
    ...(sends.was === sends.would ? [] : (['sends'] as const)),
    ...(asks.was === asks.would ? [] : (['asks'] as const)),
  ]
  return {
    kind: 'differs',
    steps,
    differences: differences.length === 0 ? ['way'] : differences,
    ends: { was: ended, would: side.status },
    breaks,
    first: { ...first, was: first.was === null ? null : toMoment(first.was), would: toMoment(first.would) },
  }
}

/** What most moments are asked, and are; reading a snapshot takes longer than all else here. */
function isSame(was: LivedMoment, would: LivedMoment): boolean {
  if (was.status !== would.status || was.note !== would.note) return false
  const areDoingsSame =
    was.sends.length + was.asks.length + would.sends.length + would.asks.length === 0 ||
    toCanonicalJson([[...was.sends], [...was.asks]]) === toCanonicalJson([[...would.sends], [...would.asks]])
  if (!areDoingsSame) return false
  return was.snapshot === would.snapshot || toCanonicalJson(toValue(was)) === toCanonicalJson(toValue(would))
}

function toMoment(lived: LivedMoment): Moment {
  const { snapshot: _snapshot, ...rest } = lived
  return { ...rest, value: toValue(lived) }
}

function toValue({ snapshot }: LivedMoment): Json {
  return snapshot === '' ? null : (JSON.parse(snapshot) as { readonly value: Json }).value
}

// ── One side of the run ──────────────────────────────────────────────────────────────────────────

/** A moment before anybody has looked at it. */
type LivedMoment = Omit<Moment, 'value'> & { readonly snapshot: string }
type Lived = Omit<Parting, 'was' | 'would'> & { readonly was: LivedMoment | null; readonly would: LivedMoment }
type Armed = { readonly dueAt: number; readonly event: JsonObject }
type Side = { snapshot: string; status: Status; readonly timers: Map<string, Armed> }
type Run = {
  readonly side: Side
  broken(): string | null
  /** Lets the draft take an entry of the journal. `fired`: the timer that it is. */
  take(entry: JournalledEvent, fired: string | null): LivedMoment
  /** Fires the draft's own timers that are due before `moment`. */
  passTime(moment: number, was: Side, version: number): readonly Lived[]
}

/** A chart whose timers arm each other without end is left after so many. */
const ownTimersMax = 1_000

function createRun(draft: MachineRegistration): Run {
  const side: Side = { snapshot: '', status: 'PENDING', timers: new Map() }
  const children = new Set<string>()
  let broken: string | null = null
  const stay = (note: string): LivedMoment => ({ ...toStanding(side), sends: [], asks: [], note })
  const attempt = (at: number, fired: string | null, take: () => Step | null): LivedMoment => {
    if (broken !== null) return stay('it waits in quarantine')
    try {
      const step = take()
      if (fired !== null) side.timers.delete(fired)
      if (step === null) return stay('the draft ignores it')
      takeOrders(side, step, at, null)
      for (const order of step.orders) {
        if (order.kind === 'start-child') children.add(order.childId)
        if (order.kind === 'stop-child') children.delete(order.childId)
      }
      return toLivedMoment(step, null)
    } catch (error) {
      broken = error instanceof Error ? error.message : String(error)
      return stay(`the draft throws: ${broken}`)
    }
  }
  return {
    side,
    broken: () => broken,
    take({ event, occurredAt }, fired) {
      const plain = event as JsonObject
      if (plain['type'] === 'conversation.opened') {
        return attempt(occurredAt, null, () => openConversation(draft, plain['input'] ?? null))
      }
      const refusal = findRefusal(plain, fired, occurredAt, side, children)
      if (refusal !== null && broken === null) return stay(refusal)
      const child = toChildId(plain)
      if (child !== null) children.delete(child)
      return attempt(occurredAt, fired, () => applyEvent(draft, side.snapshot, plain))
    },
    passTime(moment, was, version) {
      const lived: Lived[] = []
      for (let count = 0; count < ownTimersMax && broken === null; count += 1) {
        const next = findOwnTimer(side, was, moment)
        if (next === null) break
        const { id, dueAt, event } = next
        const before = { was: was.snapshot, would: side.snapshot }
        const would = attempt(dueAt, id, () => applyEvent(draft, side.snapshot, event))
        // As in the host: a timer that the chart ignores is gone, and no step.
        if (would.note !== 'the draft ignores it') lived.push({ version, event, at: dueAt, was: null, would, before })
      }
      return lived
    },
  }
}

/** Why the host would not hand this entry to the draft; null when it would. */
function findRefusal(
  event: JsonObject,
  fired: string | null,
  at: number,
  { timers }: Side,
  children: ReadonlySet<string>,
): string | null {
  if (fired !== null) {
    const armed = timers.get(fired)
    if (armed === undefined) return 'the draft has no such timer armed'
    return armed.dueAt > at ? 'the timer of the draft is due later' : null
  }
  const child = toChildId(event)
  return child === null || children.has(child) ? null : `the draft does not wait for ${child}`
}

const resultType = /^xstate\.(?:done|error)\.actor\.(?<child>.+)$/u

function toChildId(event: JsonObject): string | null {
  const { type } = event
  return typeof type === 'string' ? (resultType.exec(type)?.groups?.['child'] ?? null) : null
}

/** The timer of the machine that wrote the journal which this entry is; null when it is none. */
function findFired({ timers }: Side, { event }: JournalledEvent): string | null {
  const { type } = event as JsonObject
  if (typeof type !== 'string') return null
  if (type.startsWith('xstate.after.')) return type
  const text = toCanonicalJson(event)
  // A delayed raise is an event like any other, but for its being armed.
  return [...timers].find(([, armed]) => toCanonicalJson(armed.event) === text)?.[0] ?? null
}

/** The first timer that is the draft's alone and due before `moment`. */
function findOwnTimer(side: Side, was: Side, moment: number): (Armed & { readonly id: string }) | null {
  let first: (Armed & { readonly id: string }) | null = null
  for (const [id, armed] of side.timers) {
    const isShared = was.timers.get(id)?.dueAt === armed.dueAt
    if (!isShared && armed.dueAt < moment && (first === null || armed.dueAt < first.dueAt)) first = { id, ...armed }
  }
  return first
}

function takeOrders(side: Side, { snapshot, status, orders }: Step, at: number, fired: string | null): void {
  if (fired !== null) side.timers.delete(fired)
  for (const order of orders) takeTimerOrder(side.timers, order, at)
  side.snapshot = snapshot
  side.status = status
}

function takeTimerOrder(timers: Map<string, Armed>, order: Order, at: number): void {
  if (order.kind === 'arm-timer') timers.set(order.timerId, { dueAt: at + order.delayMs, event: order.event })
  if (order.kind === 'cancel-timer') timers.delete(order.timerId)
}

function toStanding({ snapshot, status }: Pick<Side, 'snapshot' | 'status'>): Pick<LivedMoment, 'status' | 'snapshot'> {
  return { status, snapshot }
}

function toLivedMoment(step: Step, note: string | null): LivedMoment {
  const sends = step.orders.flatMap((order) =>
    order.kind === 'perform' ? [{ action: order.action, params: order.params }] : [],
  )
  const asks = step.orders.flatMap((order) =>
    order.kind === 'start-child' ? [{ child: order.childId, source: order.source, input: order.input }] : [],
  )
  return { ...toStanding(step), sends, asks, note }
}
