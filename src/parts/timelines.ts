/**
 * One conversation, made again from its journal by the charts of its own versions. Nothing is performed or stored. From a
 * step on that cannot be made again the journal alone is told.
 */
import type { EventItem, ReadModel } from '../actors/read-model.ts'
import { foldJournal } from '../actors/replay.ts'
import type { ReplayedEvent } from '../actors/replay.ts'
import type { Order, Step } from '../actors/step.ts'
import { toHostedVersions } from '../actors/machine-versions.ts'
import { readMigration } from '../actors/migrate-snapshot.ts'
import { diffContext, maskText } from '../charts/live/timeline.ts'
import type { Timeline, TimelineStep } from '../charts/live/timeline.ts'
import { toPlaces } from '../charts/review/parting.ts'
import type { PartingPlaces } from '../charts/review/parting.ts'
import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, MachineRegistry, PersistedSnapshot } from '../machines/registry.ts'

export type TimelineReader = (id: string, hasWords: boolean) => Promise<Timeline | null>

type Options = {
  readonly readModel: Pick<ReadModel, 'getConversation' | 'listEvents'>
  readonly machines: MachineRegistry
}
type Entry = ReplayedEvent & Pick<EventItem, 'fromStatus' | 'toStatus'> & { readonly at: number }
type Before = PersistedSnapshot | null

const stepsMax = 2_000
const eventsMax = 20_000
const eventsPerPage = 200

/** Null when there is no such conversation. */
export function createTimelines({ readModel, machines }: Options): TimelineReader {
  return async (id, hasWords) => {
    const conversation = await readModel.getConversation(id)
    if (conversation === null) return null
    const { machine, status } = conversation
    const told = { id, machine, status, hasWords }
    const registration = machines[machine]
    const fail = (version: number, reason: string): Timeline => ({
      ...told,
      steps: [],
      left: 0,
      replay: { kind: 'differs', version, reason },
    })
    if (registration === undefined) return fail(0, `this deployment has no machine ${machine}`)
    const journal = await readJournal(readModel, id)
    if (journal === null) return fail(0, `the journal has more than ${eventsMax} entries`)
    const { steps, broken, last } = tell(registration, journal, hasWords)
    // A conversation may have gone on while its journal was read.
    const isShort = broken === null && last < conversation.version
    const replay =
      broken ?? (isShort ? ({ kind: 'differs', version: last, reason: 'the journal ends too early' } as const) : null)
    return {
      ...told,
      steps: steps.slice(-stepsMax),
      left: Math.max(0, steps.length - stepsMax),
      replay: replay ?? { kind: 'same' },
    }
  }
}

async function readJournal(readModel: Options['readModel'], id: string): Promise<readonly Entry[] | null> {
  const journal: Entry[] = []
  for (let cursor: string | null = null; journal.length <= eventsMax;) {
    const page = await readModel.listEvents(id, { cursor, limit: eventsPerPage })
    for (const { occurredAt, ...entry } of page?.items ?? []) journal.push({ ...entry, at: Date.parse(occurredAt) })
    cursor = page?.next ?? null
    if (cursor === null) return journal
  }
  return null
}

type Told = {
  readonly steps: readonly TimelineStep[]
  readonly broken: Extract<Timeline['replay'], { readonly kind: 'differs' }> | null
  readonly last: number
}

function tell(registration: MachineRegistration, journal: readonly Entry[], hasWords: boolean): Told {
  const fold = foldJournal(registration, journal)
  const steps: TimelineStep[] = []
  const timers = new Map<string, number>()
  let before: Before = null
  for (;;) {
    const { done, value } = takeNext(fold, (steps.at(-1)?.version ?? 0) + 1)
    if (done === true) {
      const last = steps.at(-1)?.version ?? 0
      const rest = value === null ? [] : journal.filter(({ version }) => version > last)
      return { steps: [...steps, ...rest.map((one) => toUntold(registration, one, hasWords))], broken: value, last }
    }
    const { entry, step } = value
    const event = entry.event as JsonObject & { readonly type: string }
    const after = JSON.parse(step.snapshot) as PersistedSnapshot
    const writer = findWriter(registration, entry.machineVersion)
    const places = toStepPlaces(writer, before, after, event)
    countTimers(timers, step, entry.at, event.type)
    if (readMigration(event) !== null) dropForeign(timers, places)
    const mask = hasWords ? (json: Json): Json => json : maskText
    steps.push({
      ...toHead(registration, entry, hasWords),
      isReplayed: true,
      status: step.status,
      ...places,
      changes: diffContext(before?.context ?? {}, after.context).map(({ path, was, now }) => ({
        path,
        was: mask(was),
        now: mask(now),
      })),
      timers: [...timers]
        .map(([id, dueAt]) => ({ id, dueAt: new Date(dueAt).toISOString() }))
        .toSorted((one, other) => (one.dueAt < other.dueAt ? -1 : 1)),
      running: Object.entries(after.children).map(([id, { src }]) => ({ id, source: src })),
      actions: step.orders
        .flatMap((order) => toAction(order))
        .map(({ name, params }) => ({ name, params: mask(params) })),
    })
    before = after
  }
}

function toHead({ machine }: MachineRegistration, { version, at, event, machineVersion }: Entry, hasWords: boolean) {
  const { type, body } = event as JsonObject & { readonly type: string }
  return {
    version,
    at: new Date(at).toISOString(),
    event: type,
    said: hasWords && typeof body === 'string' ? body : null,
    chart: `${machine.id}@${machineVersion}`,
  }
}

/** What the journal says of a step whose machine is gone from this build, or makes something else of it today. */
function toUntold(registration: MachineRegistration, entry: Entry, hasWords: boolean): TimelineStep {
  const { fromStatus, toStatus } = entry
  const toId = (status: string): string => `${registration.machine.id}.${status}`
  return {
    ...toHead(registration, entry, hasWords),
    isReplayed: false,
    status: toStatus,
    from: fromStatus === null ? [] : [toId(fromStatus)],
    to: [toId(toStatus)],
    transitions: [],
    changes: [],
    timers: [],
    running: [],
    actions: [],
  }
}

type Fold = ReturnType<typeof foldJournal<Entry>>

/** What a machine of this build cannot take (a state is gone that no map names) ends it like another hash would. */
function takeNext(fold: Fold, version: number): ReturnType<Fold['next']> {
  try {
    return fold.next()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { done: true, value: { kind: 'differs', version, reason } }
  }
}

function findWriter(registration: MachineRegistration, wanted: string): MachineRegistration | null {
  return toHostedVersions(registration).find(({ version }) => version === wanted)?.registration ?? null
}

const nowhere: PartingPlaces = { from: [], to: [], transitions: [] }

/** What a migration left has no place on the chart that it came to. */
function toStepPlaces(
  writer: MachineRegistration | null,
  before: Before,
  after: PersistedSnapshot,
  event: JsonObject & { readonly type: string },
): PartingPlaces {
  if (writer === null) return nowhere
  const isTaken = before !== null && readMigration(event) === null
  return toPlaces({
    machine: writer.machine,
    before: isTaken ? before : null,
    after: after.value,
    event: isTaken ? event : null,
  })
}

function countTimers(timers: Map<string, number>, { orders }: Step, at: number, fired: string): void {
  timers.delete(fired)
  for (const order of orders) {
    if (order.kind === 'cancel-timer') timers.delete(order.timerId)
    if (order.kind === 'arm-timer') timers.set(order.timerId, at + order.delayMs)
  }
}

/** A timer names its state: `xstate.after.patience.survey.PENDING`. */
function dropForeign(timers: Map<string, number>, { to }: PartingPlaces): void {
  const isActive = (id: string): boolean =>
    to.some((leaf) =>
      [...leaf.split('.').keys()].some((length) =>
        id.endsWith(
          `.${leaf
            .split('.')
            .slice(0, length + 1)
            .join('.')}`,
        ),
      ),
    )
  for (const id of timers.keys()) if (id.startsWith('xstate.after.') && !isActive(id)) timers.delete(id)
}

function toAction(order: Order): readonly { readonly name: string; readonly params: Json }[] {
  if (order.kind === 'perform') return [{ name: order.action, params: order.params }]
  if (order.kind === 'start-child') return [{ name: `starts ${order.source}`, params: order.input }]
  if (order.kind === 'stop-child') return [{ name: `stops ${order.childId}`, params: null }]
  return order.kind === 'emit' ? [{ name: 'emits', params: order.event }] : []
}
