/**
 * Which transitions an event takes, as ids of the chart. XState names a transition by object; the chart by
 * source, event and place. Underscored names are XState's own: the version is pinned, and a test walks
 * beside a real actor.
 */
import { getMicrosteps } from 'xstate'
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, EventObject } from 'xstate'

type Definition = {
  readonly source: AnyStateNode
  readonly eventType: string
  readonly target?: readonly AnyStateNode[]
}

export function readTaken(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: EventObject,
): readonly string[] {
  const first = machine.getTransitionData(snapshot as never, event) as unknown as readonly Definition[]
  const microsteps = getMicrosteps(machine, snapshot as never, event as never) as unknown as readonly [
    AnyMachineSnapshot,
  ][]
  const snapshots = microsteps.map(([after]) => after)
  const afterwards = snapshots.slice(1).flatMap((after, place) => findAlways(snapshots[place], after))
  return [...first.map(toTransitionId), ...afterwards].filter((id) => id !== '')
}

export function toTransitionId(definition: Definition): string {
  const { source, eventType } = definition
  const list = eventType === '' ? (source.always ?? []) : (source.transitions.get(eventType) ?? [])
  return `${source.id}|${eventType}|${(list as readonly unknown[]).indexOf(definition)}`
}

/** XState does not tell which `always` it took: it is one that leads from what was active to what is. */
function findAlways(before: AnyMachineSnapshot | undefined, after: AnyMachineSnapshot): readonly string[] {
  if (before === undefined) return []
  const [was, is] = [toNodes(before), toNodes(after)]
  const ids = new Set(is.map(({ id }) => id))
  return was.flatMap((node) =>
    ((node.always ?? []) as unknown as readonly Definition[])
      .filter(({ target = [] }) => target.length > 0 && target.every(({ id }) => ids.has(id)))
      .slice(0, 1)
      .map(toTransitionId),
  )
}

/** In the order of the document. XState keeps them under a name of its own; the version is pinned. */
export function toNodes(snapshot: AnyMachineSnapshot): readonly AnyStateNode[] {
  const own = snapshot as unknown as { readonly [field: string]: readonly AnyStateNode[] | undefined }
  return own['_nodes'] ?? []
}
