/** The chart as a drawing and as a contract: what the host and the pages need of it. */
import type { AnyStateNode } from 'xstate'
import { getStateNodes } from 'xstate/graph'
import { describe, expect, test } from 'vitest'

import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { registeredMachines } from '../../src/machines/registered.ts'
import { closedStatusesByRank, isClosed, statuses } from '../../src/machines/status.ts'
import type { Status } from '../../src/machines/status.ts'

const nodes = getStateNodes(conversationMachine) as readonly AnyStateNode[]
const implementations = conversationMachine.implementations

describe('the chart', () => {
  test('its top-level states are the nine statuses, with their substates', () => {
    expect(Object.keys(conversationMachine.root.states).toSorted()).toEqual(statuses.toSorted())
    const substates = (status: Status) => Object.keys(conversationMachine.root.states[status]?.states ?? {})
    expect(substates('PENDING')).toEqual(['collecting', 'transcribing', 'answering'])
    expect(substates('PROGRESS')).toEqual(['waiting', 'collecting', 'transcribing', 'answering'])
    expect(substates('HUMAN_HANDOFF')).toEqual(['queued', 'assigned'])
  })

  test('closed states carry the tag and are not final', () => {
    for (const status of statuses) {
      const node = conversationMachine.root.states[status]!
      expect(node.tags.includes('closed'), status).toBe(isClosed(status))
      expect(node.type, status).not.toBe('final')
    }
  })

  test('every state says what it is for', () => {
    expect(nodes.filter(({ description }) => !description).map(({ id }) => id)).toEqual([])
  })

  test('everything in it has a name that is declared, and no name is unused', () => {
    const used = {
      actions: new Set<string>(),
      guards: new Set<string>(),
      delays: new Set<string>(),
      actors: new Set<string>(),
    }
    for (const node of [conversationMachine.root as AnyStateNode, ...nodes]) {
      const transitions = [...node.transitions.values()].flat()
      const actions = [...node.entry, ...node.exit, ...transitions.flatMap((transition) => transition.actions)]
      for (const action of actions) if (!isBuiltIn(action)) used.actions.add(nameOf(action))
      for (const { guard } of transitions) if (guard !== undefined) used.guards.add(nameOf(guard))
      for (const { delay } of node.after) used.delays.add(String(delay))
      for (const { src } of node.invoke) used.actors.add(nameOf(src))
    }
    for (const kind of ['actions', 'guards', 'delays', 'actors'] as const) {
      expect([...used[kind]].toSorted(), kind).toEqual(Object.keys(implementations[kind]).toSorted())
    }
  })

  test('every state that is not closed has a way out by time', () => {
    const stuck = nodes
      .filter(({ type }) => type === 'atomic')
      .filter((node) => !isClosed(node.path[0] as Status))
      .filter((node) => node.after.length === 0 && node.parent?.after.length === 0)
    expect(stuck.map(({ id }) => id)).toEqual([])
  })

  test('no transition leads from a closed state to one that does not outrank it', () => {
    for (const [rank, closed] of closedStatusesByRank.entries()) {
      const targets = [...conversationMachine.root.states[closed]!.transitions.values()]
        .flat()
        .flatMap(({ target }) => target ?? [])
        .map(({ path }) => closedStatusesByRank.indexOf(path[0] as never))
      expect(
        targets.every((target) => target > rank),
        closed,
      ).toBe(true)
    }
  })

  test('a cycle of immediate transitions ends with an error, never in an endless loop', () => {
    expect(conversationMachine.options?.maxIterations).toBe(100)
  })
})

describe('the registry', () => {
  test('names each machine as the machine names itself, with a version', () => {
    for (const [name, { machine }] of Object.entries(registeredMachines)) {
      expect(machine.id).toBe(name)
      expect(machine.version).toMatch(/^\d+$/u)
    }
    expect(registeredMachines['conversation']).toBe(conversationRegistration)
  })

  test('every action that is not the machine’s own bookkeeping is an effect that the host performs', () => {
    const outside = Object.entries(implementations.actions as Record<string, { readonly resolve?: unknown }>)
      .filter(([, action]) => action.resolve === undefined)
      .map(([name]) => name)
    expect(outside).toEqual(conversationRegistration.effectActions)
  })
})

/** XState's own actions for `after` and `invoke` are functions with a resolver. */
function isBuiltIn(action: unknown): boolean {
  return typeof action === 'function' && 'resolve' in action
}

function nameOf(named: unknown): string {
  if (typeof named === 'string') return named
  if (typeof named === 'object' && named !== null && 'type' in named) return String(named.type)
  return '(not a name)'
}
