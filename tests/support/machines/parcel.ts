/**
 * A machine in two versions, of which the second would wedge whoever stands in the first: a state is gone, an invoked
 * actor has another name, and an occupied state got an `after`. Its code migrates nothing: a map has to.
 */
import { fromPromise, setup } from 'xstate'

import type { MachineRegistration } from '../../../src/machines/registry.ts'

const kit = setup({
  actors: { draftReply: fromPromise(async () => null), composeReply: fromPromise(async () => null) },
  actions: { sendMessage: (_, _params: { author: string; body: string }) => {} },
  guards: {
    says: ({ event }, { word }: { word: string }) =>
      JSON.stringify((event as { readonly body?: unknown }).body ?? '').includes(word),
  },
  delays: { soon: 1_000, patience: 600_000 },
})

const sayThanks = { type: 'sendMessage', params: { author: 'system', body: 'thanks' } } as const
const isToWork = { type: 'says', params: { word: 'work' } } as const
const isToOld = { type: 'says', params: { word: 'old' } } as const

const first = kit.createMachine({
  id: 'parcel',
  version: '1',
  initial: 'PENDING',
  states: {
    PENDING: {
      initial: 'sorting',
      after: { patience: 'EXPIRED' },
      on: {
        'message.received': [
          { guard: isToWork, target: '.working' },
          { guard: isToOld, target: '.old' },
          { target: '.resting' },
        ],
      },
      states: {
        sorting: {},
        working: { invoke: { id: 'draft', src: 'draftReply', onDone: 'rested', onError: 'rested' } },
        old: {},
        resting: {},
        rested: { entry: sayThanks },
      },
    },
    EXPIRED: { tags: 'closed' },
  },
})

const second = kit.createMachine({
  id: 'parcel',
  version: '2',
  initial: 'PENDING',
  states: {
    PENDING: {
      initial: 'sorting',
      after: { patience: 'EXPIRED' },
      on: { 'message.received': [{ guard: isToWork, target: '.working' }, { target: '.resting' }] },
      states: {
        sorting: {},
        working: { invoke: { id: 'draft', src: 'composeReply', onDone: 'rested', onError: 'rested' } },
        resting: { after: { soon: 'rested' } },
        rested: { entry: sayThanks },
      },
    },
    EXPIRED: { tags: 'closed' },
  },
})

function register(machine: unknown, rest: Partial<MachineRegistration> = {}): MachineRegistration {
  return {
    machine: machine as MachineRegistration['machine'],
    opensOn: ({ type }) => type === 'message.received',
    toInput: () => null,
    toStatus: (snapshot) => (snapshot.hasTag('closed') ? 'EXPIRED' : 'PENDING'),
    toReason: () => null,
    toSpeaker: (snapshot) => (snapshot.hasTag('closed') ? 'none' : 'assistant'),
    readCommand: () => 'a parcel takes no commands',
    toRefusal: () => 'a parcel takes no commands',
    toConsent: () => null,
    effectActions: ['sendMessage'],
    ...rest,
  }
}

export const parcelOne = register(first)
export const parcelTwo = register(second, {
  versions: [{ version: '1', registration: parcelOne, migrate: (snapshot) => snapshot }],
})
