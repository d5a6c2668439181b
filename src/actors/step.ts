/**
 * The only module that knows XState's action shapes (DESIGN D1): it runs a plain machine by its pure
 * transition and translates the returned actions into orders that the host can write down. Nothing has
 * happened in the world when it returns.
 *
 * 1. A step starts from canonical JSON and ends in canonical JSON, so a conversation that stayed in
 *    memory and one that was loaded take the same branches.
 * 2. An event that changes nothing and asks for nothing is `null`: it is no step and takes no version.
 * 3. What the host cannot honour (`sendTo`, inline functions, children without an id) throws with a
 *    sentence; so does a snapshot whose status is not `active`.
 *
 * The action shapes are those of xstate 5.33; XState 6 will be one other module like this.
 */
import { createActor, initialTransition } from 'xstate'
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, AnyStateNode, ExecutableActionObject } from 'xstate'

import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, PersistedSnapshot } from '../machines/registry.ts'
import type { Status } from '../machines/status.ts'
import { assert, AssertionError } from './assert.ts'
import { toCanonicalJson } from './canonical-json.ts'

/** What the chart asks for, in the order in which it asked. */
export type Order =
  | { readonly kind: 'arm-timer'; readonly timerId: string; readonly delayMs: number; readonly event: JsonObject }
  | { readonly kind: 'cancel-timer'; readonly timerId: string }
  | { readonly kind: 'start-child'; readonly childId: string; readonly source: string; readonly input: Json }
  | { readonly kind: 'stop-child'; readonly childId: string }
  | { readonly kind: 'perform'; readonly action: string; readonly params: Json }
  | { readonly kind: 'emit'; readonly event: Json }

export type Step = {
  /** The resulting snapshot as canonical JSON, in XState's persisted form. */
  readonly snapshot: string
  readonly status: Status
  readonly reason: string | null
  readonly speaker: string
  readonly orders: readonly Order[]
}

/** The first snapshot of a new conversation. */
export function openConversation(registration: MachineRegistration, input: Json): Step {
  const [snapshot, actions] = initialTransition(registration.machine, input as never)
  return toStep(registration, snapshot, actions, {})
}

/** What `event` makes of `snapshotJson`; null when the chart ignores it. Throws when the machine does. */
export function applyEvent(registration: MachineRegistration, snapshotJson: string, event: JsonObject): Step | null {
  const persisted = JSON.parse(snapshotJson) as PersistedSnapshot
  const before = restoreSnapshot(registration.machine, persisted)
  const { scope, actions } = openScope(registration.machine)
  const after = registration.machine.transition(before, event, scope)
  if (after === before && actions.length === 0) return null
  const step = toStep(registration, after as AnyMachineSnapshot, actions, persisted.children)
  // A forbidden transition (`'some.event': {}`) matches and makes a new object of the same snapshot.
  return step.orders.length === 0 && step.snapshot === snapshotJson ? null : step
}

/** Why a stored conversation has its status; null when its machine is not registered any more. */
export function readReason(registration: MachineRegistration | undefined, snapshotJson: string): string | null {
  return registration?.toReason(JSON.parse(snapshotJson) as AnyMachineSnapshot) ?? null
}

/** What a stored conversation remembers. */
export function readContext(snapshotJson: string): JsonObject {
  return (JSON.parse(snapshotJson) as PersistedSnapshot).context
}

/** Why the chart does not take this command where the stored snapshot stands. */
export function readRefusal(registration: MachineRegistration, snapshotJson: string, command: JsonObject): string {
  const persisted = JSON.parse(snapshotJson) as PersistedSnapshot
  return registration.toRefusal(restoreSnapshot(registration.machine, persisted), command)
}

const scopes = new WeakMap<AnyStateMachine, AnyActorScope>()

/**
 * What `transition` of xstate does, but for one thing: that function makes an actor (and with it the machine's
 * initial snapshot) for every single event, which costs more than the event. The inert scope of a machine
 * serves all its events here; nothing in it changes but the list that the actions go to.
 */
function openScope(machine: AnyStateMachine): { scope: AnyActorScope; actions: ExecutableActionObject[] } {
  const actions: ExecutableActionObject[] = []
  let scope = scopes.get(machine)
  if (scope === undefined) {
    const self = createActor(machine)
    const nothing = (): void => {}
    const inert = { id: '', sessionId: '', logger: nothing, defer: nothing, emit: nothing, stopChild: nothing }
    scope = { ...inert, self, system: self.system, actionExecutor: nothing } as AnyActorScope
    scopes.set(machine, scope)
  }
  scope.actionExecutor = (action) => void actions.push(action)
  return { scope, actions }
}

/**
 * `machine.resolveState` takes 6 µs where restoring through an actor takes 50, but it drops the
 * children. Inert stand-ins with an id are enough: the pure functions only look children up by id.
 */
export function restoreSnapshot(machine: AnyStateMachine, persisted: PersistedSnapshot): AnyMachineSnapshot {
  assert(persisted.status === 'active', 'a stored snapshot is not active')
  const historyValue: Record<string, AnyStateNode[]> = {}
  for (const [historyId, nodes] of Object.entries(persisted.historyValue)) {
    historyValue[historyId] = nodes.map(({ id }) => machine.getStateNodeById(id))
  }
  const snapshot = machine.resolveState({
    value: persisted.value as never,
    context: persisted.context,
    historyValue,
  }) as AnyMachineSnapshot
  const children: Record<string, { id: string }> = {}
  for (const childId of Object.keys(persisted.children)) children[childId] = { id: childId }
  return Object.assign(snapshot, { children })
}

function toStep(
  registration: MachineRegistration,
  snapshot: AnyMachineSnapshot,
  actions: readonly ExecutableActionObject[],
  childrenBefore: PersistedSnapshot['children'],
): Step {
  assert(
    snapshot.status === 'active',
    `the machine ended with the status ${snapshot.status}: ${toText(snapshot.error)}`,
  )
  const orders: Order[] = []
  const children = { ...childrenBefore }
  for (const action of actions) {
    const order = toOrder(registration, action)
    if (order === null) continue
    orders.push(order)
    if (order.kind === 'stop-child') delete children[order.childId]
    if (order.kind === 'start-child') {
      children[order.childId] = { src: order.source, snapshot: { status: 'active', input: order.input } }
    }
  }
  return {
    snapshot: toCanonicalJson(toPersisted(snapshot, children)),
    status: registration.toStatus(snapshot),
    reason: registration.toReason(snapshot),
    speaker: registration.toSpeaker(snapshot),
    orders,
  }
}

export function toPersisted(snapshot: AnyMachineSnapshot, children: PersistedSnapshot['children']): PersistedSnapshot {
  const historyValue: Record<string, { id: string }[]> = {}
  for (const [historyId, nodes] of Object.entries(snapshot.historyValue as Record<string, AnyStateNode[]>)) {
    historyValue[historyId] = nodes.map(({ id }) => ({ id }))
  }
  return {
    status: 'active',
    value: snapshot.value as Json,
    context: snapshot.context as JsonObject,
    historyValue,
    children,
  }
}

/** XState's built-in actions carry their resolved arguments in `params`; named ones carry ours. */
type Raised = { readonly event: JsonObject; readonly id?: string; readonly delay?: number }
type Spawned = { readonly id?: string; readonly src: unknown; readonly input?: Json }

function toOrder(registration: MachineRegistration, action: ExecutableActionObject): Order | null {
  const params: unknown = action.params
  switch (action.type) {
    case 'xstate.raise':
      return toTimerOrder(params as Raised)
    case 'xstate.cancel':
      return { kind: 'cancel-timer', timerId: (params as { sendId: string }).sendId }
    case 'xstate.spawnChild':
      return toChildOrder(params as Spawned)
    case 'xstate.stopChild':
      return params === undefined ? null : { kind: 'stop-child', childId: (params as { id: string }).id }
    case 'xstate.emit':
      return { kind: 'emit', event: (params as { event: Json }).event }
    case 'xstate.log':
      return null
    case 'xstate.sendTo':
      throw new AssertionError('a hosted machine cannot send to another actor: invoke an effect, or raise an event')
    default:
      assert(
        registration.effectActions.includes(action.type),
        `the action '${action.type}' is not one that ${registration.machine.id} is registered with: name it in effectActions`,
      )
      return { kind: 'perform', action: action.type, params: (params ?? null) as Json }
  }
}

function toTimerOrder({ event, id, delay }: Raised): Order | null {
  // A raise without a delay is listed too, but XState has applied it within this very transition.
  if (delay === undefined) return null
  assert(id !== undefined, `a delayed raise of ${JSON.stringify(event['type'])} has no id`)
  assert(Number.isFinite(delay) && delay >= 0, `the delay of the timer ${id} is ${delay} ms`)
  return { kind: 'arm-timer', timerId: id, delayMs: delay, event }
}

function toChildOrder({ id, src, input }: Spawned): Order {
  assert(typeof src === 'string' && !src.startsWith('xstate.invoke.'), 'an invoked actor is not named by a string')
  assert(id !== undefined, `the spawned actor '${src}' has no id`)
  return { kind: 'start-child', childId: id, source: src, input: input ?? null }
}

function toText(error: unknown): string {
  return error instanceof Error ? error.message : (JSON.stringify(error) ?? 'no error given')
}
