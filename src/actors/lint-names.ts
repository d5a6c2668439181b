/**
 * The host lint's rules about actions, guards and actors: everything that the host writes down needs a name, and an
 * effect is all that a chart may ask of the world.
 */
import { fromPromise } from 'xstate'

import type { MachineRegistration } from '../machines/registry.ts'
import { isBuiltIn, toImplementation, toInnerGuards, toLine } from './chart-parts.ts'
import type { ActionPart, BuiltIn, ChartParts, InvokePart, Placed, PlainFunction } from './chart-parts.ts'
import type { Remark } from './host-lint.ts'

export function lintNames(registration: MachineRegistration, parts: ChartParts): Remark[] {
  return [
    ...parts.actions.flatMap((action) => lintAction(registration, action)),
    ...parts.guards.flatMap((guard) => lintGuard(registration, guard)),
    ...parts.nodes.flatMap((node) => lintDelays(registration, node)),
    ...parts.invokes.flatMap((invoke) => lintInvoke(registration, invoke)),
    ...lintLogic(registration),
  ]
}

// ── Actions ──────────────────────────────────────────────────────────────────────────────────────

function lintAction(registration: MachineRegistration, { where, part }: Placed<ActionPart>): Remark[] {
  const implementation = toImplementation(registration.machine, part)
  if (isBuiltIn(implementation)) return lintBuiltIn(where, implementation)
  if (typeof part === 'function') {
    const sentence = 'the host cannot write down an inline function: give the action a name and params'
    return [{ rule: 'unnamed-action', where, sentence }]
  }
  const name = typeof part === 'string' ? part : part.type
  if (registration.effectActions.includes(name)) return []
  const sentence = `the action '${name}' is neither XState's own nor an effect of the registration: nobody would perform it`
  return [{ rule: 'unregistered-action', where, sentence }]
}

function lintBuiltIn(where: string, action: BuiltIn): Remark[] {
  if (action.type === 'xstate.sendTo') {
    const sentence = 'a hosted machine has nobody to send to: invoke an effect, or raise an event'
    return [{ rule: 'send-to', where, sentence }]
  }
  if (action.type === 'xstate.spawnChild' && (typeof action['id'] !== 'string' || typeof action['src'] !== 'string')) {
    const sentence = 'a spawned actor needs an id and a named source: its effect and its result are found by them'
    return [{ rule: 'spawn-id', where, sentence }]
  }
  if (action.type === 'xstate.assign' && toAssigners(action).some((text) => /\bspawn\b/u.test(text))) {
    const sentence = 'an actor in the context cannot be stored: use spawnChild with an id, or invoke'
    return [{ rule: 'spawn-in-assign', where, sentence }]
  }
  const { delay } = action
  if (action.type === 'xstate.raise' && typeof delay === 'function') {
    return [
      {
        rule: 'unnamed-delay',
        where,
        sentence: 'a delay that is an inline function has no name: declare it under delays',
      },
    ]
  }
  if (action.type === 'xstate.raise' && delay !== undefined && typeof action['id'] !== 'string') {
    return [{ rule: 'raise-id', where, sentence: 'a delayed raise needs an id: its timer is kept and cancelled by it' }]
  }
  return []
}

function toAssigners({ assignment }: BuiltIn): string[] {
  const assigners: unknown[] =
    typeof assignment === 'object' && assignment !== null ? Object.values(assignment) : [assignment]
  return assigners.filter((each) => typeof each === 'function').map((each) => each.toString())
}

// ── Guards and delays ────────────────────────────────────────────────────────────────────────────

function lintGuard({ machine }: MachineRegistration, { where, part }: Placed<unknown>): Remark[] {
  return toInnerGuards(part).flatMap((guard) => {
    if (typeof guard === 'function') {
      return [
        {
          rule: 'unnamed-guard',
          where,
          sentence: 'a guard that is an inline function has no name: declare it under guards',
        },
      ]
    }
    const name = typeof guard === 'string' ? guard : (guard as { readonly type: string }).type
    if (Object.hasOwn(machine.implementations.guards, name)) return []
    return [
      { rule: 'missing-implementation', where, sentence: `there is no guard '${name}': the transition would throw` },
    ]
  })
}

function lintDelays({ machine }: MachineRegistration, node: ChartParts['nodes'][number]): Remark[] {
  return node.after.flatMap(({ delay }) => {
    if (typeof delay !== 'string' || Object.hasOwn(machine.implementations.delays, delay)) return []
    const sentence = `there is no delay '${delay}': its timer could not be armed`
    return [{ rule: 'missing-implementation', where: `${node.id} after ${delay}`, sentence }]
  })
}

// ── Actors ───────────────────────────────────────────────────────────────────────────────────────

function lintInvoke({ machine }: MachineRegistration, { where, part }: Placed<InvokePart>): Remark[] {
  const { id, src } = part
  const found: Remark[] = []
  if (typeof src !== 'string' || src.startsWith('xstate.invoke.')) {
    const sentence = 'an inline actor has no name that an effect could be written down by: declare it under actors'
    found.push({ rule: 'inline-actor', where, sentence })
  }
  if (id === `0.${part.node.id}` || /^\d+\./u.test(id)) {
    const sentence =
      'an invoked effect needs an id of its own: its result comes back under it, also after a chart has changed'
    found.push({ rule: 'invoke-id', where, sentence })
  }
  if (!hasErrorTransition(part)) {
    const sentence = `the effect may fail, and no onError says what then (machine ${machine.id} would end in an error)`
    found.push({ rule: 'no-on-error', where, sentence })
  }
  return found
}

function hasErrorTransition({ id, node }: InvokePart): boolean {
  const type = `xstate.error.actor.${id}`
  return toLine(node).some((each) =>
    each.ownEvents.some((pattern: string) => {
      return pattern === type || (pattern.endsWith('*') && type.startsWith(pattern.slice(0, -1)))
    }),
  )
}

/** The host performs an effect and gives its one result back; that is what a promise promises. */
function lintLogic({ machine }: MachineRegistration): Remark[] {
  const promise = toText(fromPromise(async () => null))
  return Object.entries(machine.implementations.actors).flatMap(([name, logic]) => {
    if (toText(logic) === promise) return []
    const sentence = `the actor '${name}' is not a promise: the host performs an effect once and gives one result back, it runs no callbacks, observables or machines`
    return [{ rule: 'actor-logic', where: `actor ${name}`, sentence }]
  })
}

/** XState's creators of actors differ in what they make of an event. */
function toText(logic: unknown): string {
  const { transition } = logic as { readonly transition?: PlainFunction }
  return String(transition)
}
