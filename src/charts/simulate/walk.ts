/**
 * A walk through a machine that touches nothing: each step is XState's pure transition, which only lists what
 * would be done. Time is virtual; invoked actors never run, their results are steps like any other.
 *
 * 1. No action, actor or delay of the machine has an effect on the world: a walk can be repeated for ever.
 * 2. The same steps give the same points.
 * 3. A step that makes the machine throw is told as such and changes nothing.
 */
import { initialTransition, transition } from 'xstate'
import type { AnyMachineSnapshot, AnyStateMachine, EventObject, ExecutableActionObject } from 'xstate'

import { toChoosableMachine } from './choosable-machine.ts'
import type { Asked, Choices, ChoosableMachine } from './choosable-machine.ts'
import { readTaken, toNodes } from './read-taken.ts'
import type { Step } from './steps.ts'
import { createVirtualTimers } from './virtual-timers.ts'
import type { VirtualTimers } from './virtual-timers.ts'
import { toWish } from './wishes.ts'

/** `stayed`: a transition was taken, and the same states are active. `ignored`: none was. */
export type Outcome = 'started' | 'moved' | 'stayed' | 'ignored' | 'failed'

export type Point = {
  readonly outcome: Outcome
  /** What happened: an event, or timers that fired while time passed. */
  readonly events: readonly string[]
  /** Ids of the active states, outer ones first. */
  readonly active: readonly string[]
  /** Ids of the transitions that were taken, in order. */
  readonly taken: readonly string[]
  readonly asked: readonly Asked[]
  /** What would be done in the world. */
  readonly wishes: readonly string[]
  readonly timers: readonly { readonly event: string; readonly dueInMs: number }[]
  /** Invoked actors that are running. */
  readonly running: readonly string[]
  /** Milliseconds since the beginning. */
  readonly nowMs: number
  /** Why a step failed. */
  readonly problem: string | null
}

export type Walk = { readonly points: readonly Point[]; readonly end: Walker }

export type Walker = {
  readonly choosable: ChoosableMachine
  readonly timers: VirtualTimers
  readonly snapshot: AnyMachineSnapshot
}

export type WalkOptions = {
  readonly machine: AnyStateMachine
  readonly input?: unknown
  readonly steps: readonly Step[]
  /** The fields of an event that a reviewer did not write: an example of its type. */
  readonly toExample: (event: string) => { readonly [field: string]: unknown }
}

/** The moment at which every walk begins; charts that read `at` get times from here on. */
export const walkStartMs = 1_767_225_600_000

type Doing = {
  snapshot: AnyMachineSnapshot
  readonly events: string[]
  readonly taken: string[]
  readonly wishes: string[]
}

export function walk({ machine, input, steps, toExample }: WalkOptions): Walk {
  const choosable = toChoosableMachine(machine)
  const timers = createVirtualTimers()
  const begun = choosable.choose({}, () => initialTransition(choosable.machine, input as never))
  const [start, actions] = begun.result as [AnyMachineSnapshot, readonly ExecutableActionObject[]]
  let snapshot = start
  timers.follow(actions)
  const first = { events: [], taken: [], asked: begun.asked, wishes: actions.flatMap(toWish) }
  const points: Point[] = [toPoint({ outcome: 'started', problem: null, ...first }, snapshot, timers)]
  for (const step of steps) {
    const before = snapshot
    const doing: Doing = { snapshot, events: [], taken: [], wishes: [] }
    const { problem, asked } = attempt(step, doing, { choosable, timers, toExample })
    if (problem === null) snapshot = doing.snapshot
    const { events, taken, wishes } = doing
    const outcome = problem === null ? toOutcome(before, snapshot, taken) : 'failed'
    points.push(toPoint({ outcome, events, taken, asked, wishes, problem }, snapshot, timers))
  }
  return { points, end: { choosable, timers, snapshot } }
}

type Means = Pick<Walker, 'choosable' | 'timers'> & Pick<WalkOptions, 'toExample'>

function attempt(step: Step, doing: Doing, means: Means): { problem: string | null; asked: readonly Asked[] } {
  const { choosable, timers, toExample } = means
  const asked: Asked[] = []
  try {
    if ('event' in step) {
      if (!isAwaited(step.event, doing.snapshot)) return { problem: null, asked }
      const event = { ...toExample(step.event), at: walkStartMs + timers.now(), ...step.payload, type: step.event }
      asked.push(...take(event, step.choices ?? {}, doing, means))
      return { problem: null, asked }
    }
    const until = timers.now() + step.waitMs
    for (let due = timers.takeDue(until); due !== null; due = timers.takeDue(until)) {
      asked.push(...take(due.event, step.choices ?? {}, doing, { choosable, timers }))
    }
    timers.turnTo(until)
    return { problem: null, asked }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error), asked }
  }
}

/** A result of something that does not run is refused, as the host refuses it. */
function isAwaited(event: string, { children }: AnyMachineSnapshot): boolean {
  const result = /^xstate\.(?:done|error)\.actor\.(?<id>.+)$/u.exec(event)
  return result === null || Object.hasOwn(children, result.groups?.['id'] ?? '')
}

function take(
  event: EventObject,
  choices: Choices,
  doing: Doing,
  { choosable, timers }: Pick<Walker, 'choosable' | 'timers'>,
): readonly Asked[] {
  doing.events.push(event.type)
  const taken = choosable.choose(choices, () => readTaken(choosable.machine, doing.snapshot, event)).result
  const { result, asked } = choosable.choose(choices, () =>
    transition(choosable.machine, doing.snapshot as never, event as never),
  )
  const [next, actions] = result as [AnyMachineSnapshot, readonly ExecutableActionObject[]]
  if (next.status === 'error') throw toError(next.error)
  doing.snapshot = next
  doing.taken.push(...taken)
  doing.wishes.push(...actions.flatMap(toWish))
  timers.follow(actions)
  return asked
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(JSON.stringify(error) ?? 'the machine failed')
}

function toOutcome(before: AnyMachineSnapshot, after: AnyMachineSnapshot, taken: readonly string[]): Outcome {
  if (JSON.stringify(before.value) !== JSON.stringify(after.value)) return 'moved'
  return taken.length === 0 ? 'ignored' : 'stayed'
}

type PointParts = Pick<Point, 'outcome' | 'events' | 'taken' | 'asked' | 'wishes' | 'problem'>

function toPoint(parts: PointParts, snapshot: AnyMachineSnapshot, timers: VirtualTimers): Point {
  const nowMs = timers.now()
  return {
    ...parts,
    active: listActive(snapshot),
    timers: timers.armed().map(({ event, dueAt }) => ({ event: event.type, dueInMs: dueAt - nowMs })),
    running: Object.keys(snapshot.children).toSorted(),
    nowMs,
  }
}

export function listActive(snapshot: AnyMachineSnapshot): readonly string[] {
  // The nodes are those that XState itself looks at; `value` knows keys, and ids may be written by hand.
  return toNodes(snapshot)
    .toSorted((a, b) => a.order - b.order)
    .map(({ id }) => id)
}
