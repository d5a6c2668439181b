/** Why conversations that stand in one way could not go on with another machine, and which of it a map answers. */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate'

import type { Json } from '../../machines/json.ts'
import { findPlace, toNewPlace, toPlaces } from '../../machines/migration-map.ts'
import type { MigrationMap } from '../../machines/migration-map.ts'
import type { PersistedSnapshot } from '../../machines/registry.ts'
import { indexChart } from '../chart-index.ts'
import type { Chart } from '../chart.ts'
import { toActive } from '../live/value-states.ts'
import { toNodes } from '../simulate/read-taken.ts'
import type { InFlightReason } from '../review/in-flight-result.ts'

export type Shape = {
  readonly value: Json
  readonly timers: readonly string[]
  readonly children: { readonly [childId: string]: string }
  readonly history: { readonly [historyId: string]: readonly { readonly id: string }[] }
}

type Asked = {
  /** The proposed one, and its chart. */
  readonly machine: AnyStateMachine
  readonly chart: Chart
  /** The chart that wrote it; null when it was not kept: then every timer that is not armed counts as new. */
  readonly writer: Chart | null
  /** As the code of the migrations left it. */
  readonly before: Shape
  /** As it is stored. */
  readonly storedValue: Json
  readonly map: MigrationMap | null
  /** After the map. */
  readonly mapped: PersistedSnapshot
}

type Found = { readonly reasons: readonly InFlightReason[]; readonly toValue: Json }
type Wants = { readonly timers: ReadonlySet<string>; readonly children: ReadonlyMap<string, string> }

const timerPrefix = 'xstate.after.'

export function findReasons(asked: Asked): Found {
  const { machine, before, mapped } = asked
  const removed = findRemoved(asked)
  const history = findForgotten(asked)
  const nodes = resolve(machine, mapped.value)
  if (typeof nodes === 'string') {
    const isTold = removed.some(({ isMapped }) => !isMapped)
    const unresolved: InFlightReason[] = isTold
      ? []
      : [{ kind: 'state-removed', subject: toPlaces(before.value).join(', '), sentence: nodes, isMapped: false }]
    return { reasons: [...removed, ...history, ...unresolved], toValue: null }
  }
  const wanted = toWants(nodes.active)
  const had = toWritten(asked)
  const reasons = [
    ...removed,
    ...history,
    ...findRunning(asked, had, wanted),
    ...findUnstarted(asked, nodes.active, had, wanted),
    ...findUnarmed(asked, nodes.active, had),
    ...findGoneTimers(asked, wanted),
    ...findUndeclared(asked, nodes.active),
  ]
  return { reasons, toValue: nodes.value }
}

/** What it would stand in; a sentence when the machine has no such place. */
function resolve(machine: AnyStateMachine, value: Json): { value: Json; active: readonly AnyStateNode[] } | string {
  try {
    const snapshot = machine.resolveState({ value: value as never, context: {} }) as AnyMachineSnapshot
    return { value: snapshot.value as Json, active: toNodes(snapshot) }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

// ── States ───────────────────────────────────────────────────────────────────────────────────────

function findRemoved({ machine, before, map, chart }: Asked): readonly InFlightReason[] {
  return toPlaces(before.value).flatMap((place) => {
    if (findPlace(machine, place) !== null && map?.states[place] === undefined) return []
    const goal = map === null ? place : toNewPlace(machine, map, place)
    const gone = toOutermostGone(machine, place)
    const isMapped = findPlace(machine, goal) !== null
    const sentence = isMapped
      ? `${place} goes on as ${goal}`
      : `${place} is not in version ${chart.version}: ${gone === place ? 'it' : gone} was removed or renamed`
    return [{ kind: 'state-removed', subject: gone, sentence, isMapped }]
  })
}

/** `PROGRESS` when all of PROGRESS is gone, though the conversation stands in `PROGRESS.waiting`. */
function toOutermostGone(machine: AnyStateMachine, place: string): string {
  const keys = place.split('.')
  const at = keys.findIndex((_, index) => findPlace(machine, keys.slice(0, index + 1).join('.')) === null)
  return at < 0 ? place : keys.slice(0, at + 1).join('.')
}

function findForgotten({ machine, before, mapped, map }: Asked): readonly InFlightReason[] {
  return Object.entries(before.history).flatMap(([historyId, remembered]) => {
    const isThere = (id: string): boolean => isKnownId(machine, id)
    const gone = [historyId, ...remembered.map(({ id }) => id)].filter((id) => !isThere(id))
    if (gone.length === 0) return []
    const after = mapped.historyValue[historyId]
    const isMapped =
      map !== null &&
      (after === undefined ? map.drop.includes(historyId) : isThere(historyId) && after.every(({ id }) => isThere(id)))
    const sentence = `${historyId} remembers ${gone.join(', ')}, which is gone`
    return [{ kind: 'history-removed', subject: historyId, sentence, isMapped }]
  })
}

function isKnownId(machine: AnyStateMachine, id: string): boolean {
  try {
    return machine.getStateNodeById(id).id === id
  } catch {
    return false
  }
}

// ── Effects that run ─────────────────────────────────────────────────────────────────────────────

function findRunning({ before, map, chart }: Asked, had: Wants | null, wanted: Wants): readonly InFlightReason[] {
  return Object.entries(before.children).flatMap(([childId, source]): InFlightReason[] => {
    const next = wanted.children.get(childId)
    if (next === source) return []
    if (next !== undefined) {
      const isMapped = map?.sources[source] === next
      const sentence = isMapped
        ? `${source} runs as ${childId}: it is stopped and begun anew as ${next}`
        : `${source} runs as ${childId}, which version ${chart.version} invokes as ${next}`
      return [{ kind: 'source-renamed', subject: childId, sentence, isMapped }]
    }
    // What a chart has spawned itself belongs to no state, and goes on.
    if (had !== null && !had.children.has(childId)) return []
    const isMapped = isDropped(map, childId) || isMoved(map, before.value)
    const sentence = `${source} runs as ${childId}, and nothing waits for it in version ${chart.version}`
    return [{ kind: 'child-removed', subject: childId, sentence, isMapped }]
  })
}

function findUnstarted(
  { before, map, chart }: Asked,
  active: readonly AnyStateNode[],
  had: Wants | null,
  wanted: Wants,
): readonly InFlightReason[] {
  return [...wanted.children].flatMap(([childId, source]): InFlightReason[] => {
    if (before.children[childId] !== undefined || had?.children.get(childId) === source) return []
    const node = active.find(({ invoke }) => invoke.some(({ id }) => id === childId))
    const place = toPlace(node)
    const sentence = `${place} invokes ${source} in version ${chart.version}, which was never started`
    return [{ kind: 'child-not-started', subject: place, sentence, isMapped: isArmed(map, place, before.value) }]
  })
}

// ── Timers ───────────────────────────────────────────────────────────────────────────────────────

function findUnarmed(
  { before, map, chart }: Asked,
  active: readonly AnyStateNode[],
  had: Wants | null,
): readonly InFlightReason[] {
  return active.flatMap((node) =>
    [...new Set(node.after.map(({ eventType }) => eventType))].flatMap((timerId): InFlightReason[] => {
      // One that has fired already, in a state that is still there, is not armed again.
      if (before.timers.includes(timerId) || had?.timers.has(timerId) === true) return []
      const place = toPlace(node)
      const name = timerId.slice(timerPrefix.length, -node.id.length - 1)
      const sentence = `${place} is left after ${name} in version ${chart.version}, and no such timer is pending`
      return [{ kind: 'timer-not-armed', subject: place, sentence, isMapped: isArmed(map, place, before.value) }]
    }),
  )
}

function findGoneTimers({ before, map, chart }: Asked, wanted: Wants): readonly InFlightReason[] {
  return before.timers
    .filter((timerId) => timerId.startsWith(timerPrefix) && !wanted.timers.has(timerId))
    .map((timerId) => ({
      kind: 'timer-removed',
      subject: timerId,
      sentence: `the timer ${timerId.slice(timerPrefix.length)} is pending, and version ${chart.version} has none such there`,
      isMapped: isDropped(map, timerId) || isMoved(map, before.value),
    }))
}

// ── Guards ───────────────────────────────────────────────────────────────────────────────────────

/** A guard that is not declared throws when it is asked, and the conversation waits in quarantine. */
function findUndeclared({ chart }: Asked, active: readonly AnyStateNode[]): readonly InFlightReason[] {
  const ids = new Set(active.map(({ id }) => id))
  const declared = new Set(chart.declared.guards)
  const asked = chart.transitions.filter(({ source }) => ids.has(source))
  const names = new Set(asked.flatMap(({ guard }) => guard?.names ?? []).filter((name) => !declared.has(name)))
  return [...names].map((name) => ({
    kind: 'guard-undeclared',
    subject: name,
    sentence: `the guard ${name} would be asked there and is not declared`,
    isMapped: false,
  }))
}

// ── What states want, and what a map says of them ────────────────────────────────────────────────

function toWants(active: readonly AnyStateNode[]): Wants {
  return {
    timers: new Set(active.flatMap(({ after }) => after.map(({ eventType }) => eventType))),
    children: new Map(
      active.flatMap(({ invoke }) =>
        invoke.map(({ id, src }) => [id, typeof src === 'string' ? src : 'code'] as const),
      ),
    ),
  }
}

/** By the chart that wrote it. */
function toWritten({ writer, storedValue }: Asked): Wants | null {
  if (writer === null) return null
  const index = indexChart(writer)
  const active = toActive(index, storedValue)
  if (active === null) return null
  const all = [writer.root, ...active]
  return {
    timers: new Set(
      all.flatMap((id) => index.outOf(id).flatMap(({ kind, event }) => (kind === 'after' ? [event] : []))),
    ),
    children: new Map(
      all.flatMap((id) => (index.state(id)?.invocations ?? []).map((one) => [one.id, one.source] as const)),
    ),
  }
}

function toPlace(node: AnyStateNode | undefined): string {
  return node?.path.join('.') ?? ''
}

function isDropped(map: MigrationMap | null, id: string): boolean {
  return map?.drop.includes(id) === true
}

/** Whoever says where a state goes on says so of its timers and effects too. */
function isMoved(map: MigrationMap | null, value: Json): boolean {
  if (map === null) return false
  return toPlaces(value).every((place) => {
    const keys = place.split('.')
    return keys.some((_, index) => map.states[keys.slice(0, index + 1).join('.')] !== undefined)
  })
}

function isArmed(map: MigrationMap | null, place: string, value: Json): boolean {
  return map?.arm.includes(place) === true || isMoved(map, value)
}
