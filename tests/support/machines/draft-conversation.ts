/**
 * A proposed change of the conversation, as somebody would write it: who asks for a refund gets a person, and a goodbye
 * by the user's word is no longer answered. `createDraft` makes others of the same kind.
 */
import { createMachine } from 'xstate'

import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import type { MachineRegistration, OlderVersion } from '../../../src/machines/registry.ts'

type Node = { readonly [part: string]: unknown }
type Candidate = { readonly guard?: string; readonly actions?: unknown }

export const ownVersion = conversationMachine.version ?? ''
export const draftVersion = String(Number(ownVersion) + 1)

/** `word`: what a message has to hold to be brought to a person, besides what brings it there anyway. */
export function createDraft(word: string): MachineRegistration {
  const { config, implementations } = conversationMachine as unknown as {
    readonly config: Node & { readonly on: Node; readonly states: { readonly [name: string]: Node } }
    readonly implementations: { readonly guards: { readonly [name: string]: (scope: Scope, params: never) => boolean } }
  }
  const { PENDING, PROGRESS } = config.states
  const changed = {
    ...config,
    version: draftVersion,
    on: { ...config.on, 'message.received': silence(config.on['message.received'] as readonly Candidate[]) },
    states: { ...config.states, PENDING: rename(PENDING ?? {}), PROGRESS: rename(PROGRESS ?? {}) },
  }
  const asksForPerson = implementations.guards['asksForPerson'] ?? (() => false)
  const guards = {
    ...implementations.guards,
    needsPerson: (scope: Scope, params: never) =>
      asksForPerson(scope, params) ||
      JSON.stringify(scope.event['body'] ?? '')
        .toLowerCase()
        .includes(word),
  }
  const machine = createMachine(changed as never, { ...implementations, guards } as never)
  const versions: readonly OlderVersion[] = [
    ...(conversationRegistration.versions ?? []),
    { version: ownVersion, registration: conversationRegistration, migrate: (snapshot) => snapshot },
  ]
  return { ...conversationRegistration, machine, versions }
}

type Scope = { readonly event: { readonly [field: string]: unknown } }

function rename(state: Node): Node {
  const on = state['on'] as { readonly 'message.received': readonly Candidate[] }
  const candidates = on['message.received'].map((one) =>
    one.guard === 'asksForPerson' ? { ...one, guard: 'needsPerson' } : one,
  )
  return { ...state, on: { ...on, 'message.received': candidates } }
}

function silence(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.map((one) =>
    one.guard === 'saysGoodbye' && Array.isArray(one.actions) ? { ...one, actions: one.actions.slice(0, -1) } : one,
  )
}

export const registration = createDraft('refund')
