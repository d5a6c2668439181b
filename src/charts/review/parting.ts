/**
 * The moment at which a conversation would have gone another way, as a picture shows it: where it stood before, which
 * transitions were taken and which would be, where each leads. Ids are those of the union of both charts.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'

import type { Chart } from '../chart.ts'
import { toBaseId } from '../compare/compare-charts.ts'
import type { Mark, Overlay, Tone } from '../drawing/overlay.ts'
import { readTaken, toNodes } from '../simulate/read-taken.ts'

/** One side of the moment: a machine, its persisted snapshots before and after, and what came. */
export type PartingSide = {
  readonly machine: AnyStateMachine
  /** Null at the opening. */
  readonly before: PersistedPlace | null
  readonly after: unknown
  /** Null: nothing reached it. */
  readonly event: { readonly type: string } | null
}

export type PersistedPlace = {
  readonly value: unknown
  readonly context: object
  readonly historyValue: { readonly [id: string]: readonly { readonly id: string }[] }
  readonly children: { readonly [id: string]: object }
}

export type PartingPlaces = {
  /** Innermost states. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly transitions: readonly string[]
}

export function toPlaces({ machine, before, after, event }: PartingSide): PartingPlaces {
  const snapshot = before === null ? null : restore(machine, before)
  return {
    from: snapshot === null ? [] : toLeaves(snapshot),
    to: toLeavesOfValue(machine, after),
    transitions: snapshot === null || event === null ? [] : readTaken(machine, snapshot, event),
  }
}

/** `union`: of the base, on which it was, and the head, on which it would be. */
export function toPartingOverlay(was: PartingPlaces | null, would: PartingPlaces, union: Chart): Overlay {
  const marks: { [id: string]: Mark } = {}
  const known = new Set([...union.states, ...union.transitions].map(({ id }) => id))
  const mark = (id: string, tone: Tone, badge: string | null, note: string): void => {
    if (known.has(id)) marks[id] = { tone, badge, note }
  }
  for (const id of would.from) mark(id, 'changed', 'here', 'here it would go another way')
  for (const id of would.to) mark(id, 'would', 'would be', 'where it would be')
  for (const id of was?.to ?? []) {
    const isBoth = would.to.includes(id)
    if (isBoth) mark(id, 'changed', 'was and would be', 'where it was, and would be by another way')
    else mark(id, 'was', 'was', 'where it was')
  }
  for (const id of would.transitions) mark(id, 'would', null, 'it would take this one')
  for (const id of was?.transitions ?? []) {
    // A transition of the base that is not the head's stands in the union under a name of its own.
    const own = known.has(toBaseId(id)) ? toBaseId(id) : id
    if (would.transitions.includes(own)) mark(own, 'changed', null, 'it took this one, and would, with another outcome')
    else mark(own, 'was', null, 'it took this one')
  }
  return { kind: 'replay', marks }
}

function restore(
  machine: AnyStateMachine,
  { value, context, historyValue, children }: PersistedPlace,
): AnyMachineSnapshot {
  const history = Object.entries(historyValue).map(([id, nodes]) => [
    id,
    nodes.map((node) => machine.getStateNodeById(node.id)),
  ])
  const snapshot = machine.resolveState({
    value: value as never,
    context,
    historyValue: Object.fromEntries(history) as never,
  }) as AnyMachineSnapshot
  const standIns = Object.fromEntries(Object.keys(children).map((id) => [id, { id }]))
  return Object.assign(snapshot, { children: standIns })
}

function toLeaves(snapshot: AnyMachineSnapshot): readonly string[] {
  return toNodes(snapshot)
    .filter(({ type }) => type === 'atomic' || type === 'final')
    .map(({ id }) => id)
}

function toLeavesOfValue(machine: AnyStateMachine, value: unknown): readonly string[] {
  if (value === null || value === undefined) return []
  return toLeaves(machine.resolveState({ value: value as never, context: {} }) as AnyMachineSnapshot)
}
