/**
 * A session as the planner imagines it: the chart by pure transitions, its timers in the order in which they fall due,
 * the effect that it waits for. Only what can really be done next is a move here; a plain walk over the chart's events
 * would let a later timer fire before an earlier one.
 *
 * It is XState actor logic, so the graph functions of `xstate/graph` walk it. It is not the oracle.
 */
import { createActor } from 'xstate'
import type { AnyActorScope, AnyMachineSnapshot, AnyStateMachine, EventObject, ExecutableActionObject } from 'xstate'

import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { Opening } from '../../../src/machines/registry.ts'
import { isClosed } from '../../../src/machines/status.ts'
import { toTranscription } from './heard.ts'
import type { Act, InvokedResult, Model, Move, Profile } from './model.ts'
import { nothingWalked, joinWalked, toStateName, toWalked } from './walked.ts'
import type { Microstep, Walked } from './walked.ts'

type Timer = { readonly dueAt: number; readonly event: EventObject }

export type TimedSession = {
  /** Null: the user has not opened a conversation yet. */
  readonly snapshot: AnyMachineSnapshot | null
  readonly timers: ReadonlyMap<string, Timer>
  /** Ids of the invoked effects that have not ended. */
  readonly waitsFor: readonly string[]
  /** Their inputs, by id. */
  readonly inputs: ReadonlyMap<string, Json>
  readonly now: number
  /** What the last step walked. */
  readonly walked: Walked
  /** The effects that the last step asked for by named actions. */
  readonly asked: readonly string[]
}

const beginsAt = 1_800_000_000_000

export const newSession: TimedSession = {
  snapshot: null,
  timers: new Map(),
  waitsFor: [],
  inputs: new Map(),
  now: beginsAt,
  walked: nothingWalked,
  asked: [],
}

/** What the session does with an act. The moves of a second are a second apart. */
export function createTimedSession({ registration }: Model, { businessAddress, settings }: Profile) {
  const { machine } = registration
  const take = createStepper(machine)

  function apply(session: TimedSession, event: EventObject): TimedSession {
    if (session.snapshot === null) return session
    const { snapshot, actions, microsteps } = take(session.snapshot, event)
    return { ...follow({ ...session, snapshot }, actions), walked: joinWalked(session.walked, toWalked(microsteps)) }
  }

  function open(session: TimedSession, event: EventObject): TimedSession {
    const before = session.snapshot
    if (before !== null && !isClosed(registration.toStatus(before))) return session
    const opening: Opening = {
      businessAddress,
      settings,
      at: session.now,
      previous: before && {
        conversationId: 'previous',
        status: registration.toStatus(before),
        reason: registration.toReason(before),
        context: before.context as JsonObject,
      },
    }
    if (!registration.opensOn(event, opening)) return session
    const { snapshot, actions } = take(null, null, registration.toInput(opening))
    return follow({ ...newSession, snapshot, now: session.now }, actions)
  }

  return (before: TimedSession, act: Act): TimedSession => {
    const session = { ...before, now: before.now + 1_000, walked: nothingWalked, asked: [] }
    const at = session.now
    switch (act.kind) {
      case 'say': {
        const { text: body, media = [] } = act
        const event = { type: 'message.received', messageId: `planned ${at}`, body, media, at }
        return apply(open(session, event), event)
      }
      case 'pass': {
        const next = findNextTimer(session)
        if (next === null) return session
        const [timerId, { dueAt, event }] = next
        const timers = new Map([...session.timers].filter(([id]) => id !== timerId))
        return apply({ ...session, timers, now: dueAt }, event)
      }
      case 'result': {
        const [childId = ''] = session.waitsFor
        const waitsFor = session.waitsFor.slice(1)
        const input = session.inputs.get(childId) ?? null
        return apply({ ...session, waitsFor }, toResultEvent(childId, input, act.result))
      }
      case 'command': {
        const read = registration.readCommand(act.event)
        return typeof read === 'string' ? session : apply(session, { ...read, at } as unknown as EventObject)
      }
      case 'delivery': {
        const { status, errorCode } = act
        return apply(session, { type: 'delivery.updated', effectId: null, status, errorCode, at } as EventObject)
      }
    }
  }
}

export function isPossible(session: TimedSession, { kind, of }: Pick<Move, 'kind' | 'of'>): boolean {
  switch (kind) {
    case 'say':
      return true
    case 'pass':
      return session.timers.size > 0
    case 'result':
      return session.waitsFor.length > 0 && (of === undefined || session.waitsFor[0] === of)
    case 'command':
    case 'delivery':
      return session.snapshot !== null
  }
}

/** Two sessions with the same key go the same ways. */
export function toConfiguration({ keep, keepEffect }: Model, session: TimedSession): string {
  const { snapshot, timers, waitsFor, inputs } = session
  if (snapshot === null) return '(new)'
  const order = [...timers].toSorted(([, a], [, b]) => a.dueAt - b.dueAt).map(([timerId]) => timerId)
  const kept: Json = keep(snapshot.context as JsonObject)
  const running = waitsFor.map((childId): Json => {
    const ofEffect = keepEffect?.(inputs.get(childId) ?? null, snapshot.context as JsonObject) ?? null
    return ofEffect === null ? childId : [childId, ofEffect]
  })
  return JSON.stringify([toStateName(snapshot), kept, order, running])
}

export function stateOf({ snapshot }: TimedSession): string {
  return snapshot === null ? '(new)' : toStateName(snapshot)
}

export function findNextTimer({ timers }: TimedSession): readonly [string, Timer] | null {
  const [next] = [...timers].toSorted(([, a], [, b]) => a.dueAt - b.dueAt)
  return next ?? null
}

function toResultEvent(childId: string, input: Json, result: InvokedResult): EventObject {
  const actorId = childId
  if (result.kind === 'heard') {
    return { type: `xstate.done.actor.${childId}`, output: toTranscription(result, input), actorId } as EventObject
  }
  if (result.kind === 'done') {
    return { type: `xstate.done.actor.${childId}`, output: result.output, actorId } as EventObject
  }
  const error = { message: result.code, code: result.code }
  return { type: `xstate.error.actor.${childId}`, error, actorId } as EventObject
}

type Taken = {
  readonly snapshot: AnyMachineSnapshot
  readonly actions: readonly ExecutableActionObject[]
  readonly microsteps: readonly Microstep[]
}

/** XState's pure transition, with its microsteps listened to. */
function createStepper(machine: AnyStateMachine) {
  const actions: ExecutableActionObject[] = []
  const inspected: Omit<Microstep, 'before'>[] = []
  const after: AnyMachineSnapshot[] = []
  const self = createActor(machine, {
    inspect(inspection) {
      if (inspection.type !== '@xstate.microstep') return
      inspected.push({ eventType: inspection.event.type, transitions: inspection['_transitions'] })
      after.push(inspection.snapshot as AnyMachineSnapshot)
    },
  })
  const nothing = (): void => {}
  const inert = { id: '', sessionId: '', logger: nothing, defer: nothing, emit: nothing, stopChild: nothing }
  const actionExecutor = (action: ExecutableActionObject): void => void actions.push(action)
  const scope = { ...inert, self, system: self.system, actionExecutor } as unknown as AnyActorScope
  return (before: AnyMachineSnapshot | null, event: EventObject | null, input: Json = null): Taken => {
    for (const list of [actions, inspected, after]) list.length = 0
    const snapshot = (
      before === null || event === null
        ? machine.getInitialSnapshot(scope, input)
        : machine.transition(before, event, scope)
    ) as AnyMachineSnapshot
    const befores = before === null ? [] : [before, ...after]
    const microsteps = inspected.flatMap((step, index) => {
      const stood = befores[index]
      return stood === undefined ? [] : [{ ...step, before: stood }]
    })
    return { snapshot, actions: [...actions], microsteps }
  }
}

function follow(session: TimedSession, actions: readonly ExecutableActionObject[]): TimedSession {
  const timers = new Map(session.timers)
  let { waitsFor } = session
  const inputs = new Map(session.inputs)
  const asked = [...session.asked]
  for (const { type, params } of actions) {
    const fields = (params ?? {}) as { readonly [field: string]: never }
    if (!type.startsWith('xstate.')) asked.push(`${type} ${JSON.stringify(params)}`)
    if (type === 'xstate.raise' && fields['delay'] !== undefined) {
      timers.set(fields['id']!, { dueAt: session.now + fields['delay'], event: fields['event']! })
    }
    if (type === 'xstate.cancel') timers.delete(fields['sendId']!)
    if (type === 'xstate.spawnChild') {
      waitsFor = [...waitsFor, fields['id']!]
      inputs.set(fields['id']!, fields['input'] ?? null)
    }
    if (type === 'xstate.stopChild') waitsFor = waitsFor.filter((childId) => childId !== fields['id'])
  }
  return { ...session, timers, waitsFor, inputs, asked }
}
