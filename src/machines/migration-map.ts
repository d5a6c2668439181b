/**
 * A migration as data: where conversations of one version go on in the next one, beside the machine in
 * `migrations/<machine>@<from>-<to>.json`, drawn on the chart page and read by the host.
 *
 * 1. Places are keys from the root, joined by dots: `PROGRESS.waiting`. They hold whatever ids the states carry.
 * 2. It is applied after the code that migrates the step, to what that left standing in states which are no more.
 * 3. It answers what the check before a deploy asks; what needs no answer stands in no map.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

import type { Json } from './json.ts'
import type { MachineRegistration, OlderVersion, PersistedSnapshot } from './registry.ts'

export const migrationMapSchemaName = 'duologue.migration/1'

export type MigrationMap = {
  readonly schema: typeof migrationMapSchemaName
  readonly machine: string
  readonly from: string
  readonly to: string
  /** Old place: new place. */
  readonly states: { readonly [place: string]: string }
  /** An actor that has another name now: what ran under the old one begins anew under the new one. */
  readonly sources: { readonly [source: string]: string }
  /** New places whose `after`s are armed, and whose actors are started, as soon as the deploy is complete. */
  readonly arm: readonly string[]
  /** Ids of timers, actors and history states that may go. */
  readonly drop: readonly string[]
}

const textMax = 512
const entriesMax = 1_000

/** Throws with a sentence when it is none. */
export function readMigrationMap(json: unknown): MigrationMap {
  const {
    schema,
    machine,
    from,
    to,
    states = {},
    sources = {},
    arm = [],
    drop = [],
  } = (json ?? {}) as {
    readonly [field in keyof MigrationMap]?: unknown
  }
  if (schema !== migrationMapSchemaName) throw new Error(`not a map of ${migrationMapSchemaName}`)
  if (!isText(machine) || !isText(from) || !isText(to)) throw new Error('a migration map names machine, from and to')
  if (from === to) throw new Error('a migration map leads from one version to another')
  if (!isRecord(states) || !isRecord(sources)) throw new Error('states and sources lead from text to text')
  if (!isList(arm) || !isList(drop)) throw new Error('arm and drop are lists of text')
  return { schema: migrationMapSchemaName, machine, from, to, states, sources, arm, drop }
}

export function emptyMigrationMap(machine: string, from: string, to: string): MigrationMap {
  return { schema: migrationMapSchemaName, machine, from, to, states: {}, sources: {}, arm: [], drop: [] }
}

/** The registration with its maps; one that leads from a version which the build does not list makes it known. */
export function withMigrationMaps(
  registration: MachineRegistration,
  maps: readonly MigrationMap[],
): MachineRegistration {
  const own = maps.filter(({ machine }) => machine === registration.machine.id)
  if (own.length === 0) return registration
  const newest = registration.machine.version ?? ''
  const listed = registration.versions ?? []
  const isListed = (version: string): boolean => version === newest || listed.some((one) => one.version === version)
  const added = own
    .filter(({ from, to }) => to === newest && !isListed(from))
    .map((map): OlderVersion => {
      const migrate = (snapshot: PersistedSnapshot) => applyMigrationMap(registration.machine, map, snapshot)
      return { version: map.from, to: newest, registration: null, migrate }
    })
  const mapped = listed.map((older, place): OlderVersion => {
    const next = listed[place + 1]
    const target = next === undefined ? registration : next.registration
    const map = own.find(({ from, to }) => from === older.version && to === (next?.version ?? newest))
    if (map === undefined || target === null) return older
    return { ...older, migrate: (snapshot) => applyMigrationMap(target.machine, map, older.migrate(snapshot)) }
  })
  return { ...registration, versions: [...added, ...mapped] }
}

/** `machine`: the newer version. */
export function applyMigrationMap(
  machine: AnyStateMachine,
  map: Pick<MigrationMap, 'states' | 'drop'>,
  snapshot: PersistedSnapshot,
): PersistedSnapshot {
  const historyValue: Record<string, readonly { readonly id: string }[]> = {}
  for (const [historyId, nodes] of Object.entries(snapshot.historyValue)) {
    if (map.drop.includes(historyId)) continue
    historyValue[historyId] = nodes.map(({ id }) => ({ id: toNewId(machine, map, id) }))
  }
  return { ...snapshot, value: toNewValue(machine, map, snapshot.value), historyValue }
}

/** The innermost places of a state value: `['PROGRESS.waiting']`. */
export function toPlaces(value: Json): readonly string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const places = toPlaces(inner)
    return places.length === 0 ? [key] : places.map((place) => `${key}.${place}`)
  })
}

export function findPlace(machine: AnyStateMachine, place: string): AnyStateNode | null {
  let node: AnyStateNode = machine.root
  for (const key of place.split('.')) {
    const inner = (node.states as Record<string, AnyStateNode | undefined>)[key]
    if (inner === undefined) return null
    node = inner
  }
  return node
}

/** Where a place goes on: by its own entry, by that of a state around it, or where it is. */
export function toNewPlace(machine: AnyStateMachine, { states }: Pick<MigrationMap, 'states'>, place: string): string {
  const keys = place.split('.')
  for (let length = keys.length; length > 0; length -= 1) {
    const goal = states[keys.slice(0, length).join('.')]
    if (goal === undefined) continue
    const inner = [goal, ...keys.slice(length)].join('.')
    return findPlace(machine, inner) === null ? goal : inner
  }
  return place
}

function toNewValue(machine: AnyStateMachine, map: Pick<MigrationMap, 'states'>, value: Json): Json {
  const places = toPlaces(value)
  const moved = places.map((place) => toNewPlace(machine, map, place))
  if (moved.every((place, index) => place === places[index])) return value
  return toValue([...new Set(moved)])
}

/** `['A.b', 'A.c.d']` as `{A: {b: {}, c: 'd'}}`, in the form that XState resolves. */
function toValue(places: readonly string[]): Json {
  const byKey = Map.groupBy(places, (place) => place.split('.')[0] ?? '')
  const entries = [...byKey].map(([key, own]): readonly [string, Json] => {
    const inner = own.filter((place) => place !== key).map((place) => place.slice(key.length + 1))
    return [key, toValue(inner)]
  })
  const [only] = entries
  const isAtomic = entries.length === 1 && only !== undefined && JSON.stringify(only[1]) === '{}'
  return isAtomic ? only[0] : Object.fromEntries(entries)
}

function toNewId(machine: AnyStateMachine, map: Pick<MigrationMap, 'states'>, id: string): string {
  const prefix = `${machine.root.id}.`
  if (!id.startsWith(prefix)) return id
  return findPlace(machine, toNewPlace(machine, map, id.slice(prefix.length)))?.id ?? id
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= textMax
}

function isList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= entriesMax && value.every(isText)
}

function isRecord(value: unknown): value is { readonly [key: string]: string } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  return entries.length <= entriesMax && entries.every(([key, one]) => isText(key) && isText(one))
}
