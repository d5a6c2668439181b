/**
 * Brings a stored snapshot to a newer version of its machine (DESIGN D8), as a step of its own: the migrations of the
 * versions in between make the new snapshot, and what the new chart's occupied states want of the host becomes orders.
 *
 * 1. Pure, and the snapshot depends on nothing but the old one: replaying the journal gives it again.
 * 2. A timer whose state still has it keeps its due time; one that its state no longer has is dropped; one that is new
 *    in an occupied state is armed from the migration's moment. A delayed `raise` belongs to no state and stays.
 * 3. A child that its state no longer invokes is stopped; one that is new in an occupied state is started.
 * 4. Entry and exit actions do not run: no state is entered, the conversation was there already.
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate'

import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, PersistedSnapshot } from '../machines/registry.ts'
import { assert } from './assert.ts'
import { toCanonicalJson } from './canonical-json.ts'
import { toHostedVersions } from './machine-versions.ts'
import type { Timers } from './ports.ts'
import { restoreSnapshot, toPersisted } from './step.ts'
import type { Order, Step } from './step.ts'

export type Migration = { readonly machine: string; readonly from: string; readonly to: string }

const migratedType = 'machine.migrated'
const timerPrefix = 'xstate.after.'

/** The event of the journal that says so. */
export function toMigrationEvent({ machine, from, to }: Migration): JsonObject {
  return { type: migratedType, machine, from, to }
}

/** What a journalled event says of a migration; null when it is another event. */
export function readMigration(event: JsonObject): Migration | null {
  const { type, machine, from, to } = event
  if (type !== migratedType) return null
  assert(
    typeof machine === 'string' && typeof from === 'string' && typeof to === 'string',
    'a migration names no version',
  )
  return { machine, from, to }
}

/** `timers`: those armed before it. Throws when a migration does, or gives what the new chart cannot stand in. */
export function migrateSnapshot(
  registration: MachineRegistration,
  { from, to }: Pick<Migration, 'from' | 'to'>,
  snapshotJson: string,
  timers: Timers,
): Step {
  const hosted = toHostedVersions(registration)
  const target = hosted.find(({ version }) => version === to)?.registration ?? null
  const source = hosted.find(({ version }) => version === from)?.registration ?? null
  assert(target !== null, `this build has no chart of version ${to} of '${registration.machine.id}'`)
  const old = JSON.parse(snapshotJson) as PersistedSnapshot
  // Which children there are is the host's own book: a migration has no say in it.
  const migrated = { ...applyMigrations(registration, from, to, old), children: old.children }
  const snapshot = restoreSnapshot(target.machine, migrated)
  const before = source === null ? null : toWants(source.machine, restoreSnapshot(source.machine, old))
  const wanted = toWants(target.machine, snapshot)
  const orders = [
    ...toStops(migrated, before, wanted),
    ...toTimerOrders(timers, before, wanted),
    ...toStarts(migrated, before, wanted),
  ]
  return {
    snapshot: toCanonicalJson(toPersisted(snapshot, toChildren(migrated, orders))),
    status: target.toStatus(snapshot),
    reason: target.toReason(snapshot),
    speaker: target.toSpeaker(snapshot),
    orders,
  }
}

/** The snapshot as the version `to` has it, by the migrations in between; nothing else is looked at. */
export function applyMigrations(
  registration: MachineRegistration,
  from: string,
  to: string,
  old: PersistedSnapshot,
): PersistedSnapshot {
  const older = registration.versions ?? []
  let snapshot = old
  let version = from
  while (version !== to) {
    const place = older.findIndex((one) => one.version === version)
    const migration = older[place]
    assert(migration !== undefined, `nothing migrates version ${version} of '${registration.machine.id}' to ${to}`)
    // A migration may change what it is given, and must give what the database gives back.
    snapshot = JSON.parse(toCanonicalJson(migration.migrate(structuredClone(snapshot)))) as PersistedSnapshot
    version = migration.to ?? older[place + 1]?.version ?? registration.machine.version ?? ''
  }
  return snapshot
}

// ── What occupied states want ────────────────────────────────────────────────────────────────────

type Wants = {
  /** Delay in ms by timer id. */
  readonly timers: ReadonlyMap<string, () => number>
  readonly children: ReadonlyMap<string, { readonly source: string; readonly input: () => Json }>
}

/** Of the states that a snapshot stands in, ancestors included. `_nodes` is XState's own, and pinned by a test. */
function toWants(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): Wants {
  const timers = new Map<string, () => number>()
  const children = new Map<string, { source: string; input: () => Json }>()
  const { context, _nodes: nodes } = snapshot as unknown as { context: JsonObject; _nodes: readonly AnyStateNode[] }
  for (const node of nodes) {
    for (const { eventType, delay } of node.after) timers.set(eventType, () => toDelayMs(machine, delay, context))
    for (const { id, src, input } of node.invoke) {
      assert(typeof src === 'string', 'an invoked actor is not named by a string')
      children.set(id, { source: src, input: () => toInput(input, context) })
    }
  }
  return { timers, children }
}

type Scope = { readonly context: JsonObject; readonly event: JsonObject }

function toDelayMs(machine: AnyStateMachine, delay: unknown, context: JsonObject): number {
  const named: unknown = typeof delay === 'string' ? machine.implementations.delays[delay] : delay
  const event = { type: migratedType }
  const delayMs: unknown =
    typeof named === 'function' ? (named as (scope: Scope) => unknown)({ context, event }) : named
  assert(typeof delayMs === 'number' && delayMs >= 0, `the delay '${String(delay)}' has no number of milliseconds`)
  return delayMs
}

function toInput(input: unknown, context: JsonObject): Json {
  const event = { type: migratedType }
  return ((typeof input === 'function' ? (input as (scope: Scope) => unknown)({ context, event }) : input) ??
    null) as Json
}

// ── Orders ───────────────────────────────────────────────────────────────────────────────────────

/** What a chart has spawned itself belongs to no state, and goes on. */
function toStops({ children }: PersistedSnapshot, before: Wants | null, wanted: Wants): Order[] {
  return Object.entries(children).flatMap(([childId, child]) => {
    const isWanted = wanted.children.get(childId)?.source === child.src
    const isSpawned = before !== null && !before.children.has(childId) && !wanted.children.has(childId)
    return isWanted || isSpawned ? [] : [{ kind: 'stop-child', childId } as const]
  })
}

/** A state that was there before and did not invoke the child any more (its effect has ended) does not start it anew. */
function toStarts({ children }: PersistedSnapshot, before: Wants | null, wanted: Wants): Order[] {
  return [...wanted.children].flatMap(([childId, { source, input }]) => {
    const isThere = children[childId]?.src === source
    const wasThere = before?.children.get(childId)?.source === source
    return isThere || wasThere ? [] : [{ kind: 'start-child', childId, source, input: input() } as const]
  })
}

function toTimerOrders(timers: Timers, before: Wants | null, wanted: Wants): Order[] {
  const gone = Object.keys(timers).filter((id) => id.startsWith(timerPrefix) && !wanted.timers.has(id))
  const added = [...wanted.timers].filter(([id]) => timers[id] === undefined && before?.timers.has(id) !== true)
  return [
    ...gone.map((timerId) => ({ kind: 'cancel-timer', timerId }) as const),
    ...added.map(([timerId, delayMs]) => {
      return { kind: 'arm-timer', timerId, delayMs: delayMs(), event: { type: timerId } } as const
    }),
  ]
}

function toChildren({ children }: PersistedSnapshot, orders: readonly Order[]): PersistedSnapshot['children'] {
  const kept = { ...children }
  for (const order of orders) {
    if (order.kind === 'stop-child') delete kept[order.childId]
    if (order.kind === 'start-child') {
      kept[order.childId] = { src: order.source, snapshot: { status: 'active', input: order.input } }
    }
  }
  return kept
}
