/**
 * A small machine in three versions, as a deployment meets them: `1` asks and waits; `2` names its states otherwise,
 * keeps the score under another name, drafts nothing while it waits and has a timer more; `3` only counts otherwise.
 */
import { assign, fromPromise, setup } from 'xstate'

import type { MachineRegistration, OlderVersion } from '../../../src/machines/registry.ts'

type Context = { readonly answers: number } | { readonly score: number }

const kit = setup({
  types: { context: {} as Context },
  actors: { draftReply: fromPromise(async () => null) },
  actions: {
    sendMessage: (_, _params: { author: string; body: string }) => {},
    count: assign(({ context }) => ({ answers: 'answers' in context ? context.answers + 1 : 1 })),
    addScore: assign(({ context }) => ({ score: 'score' in context ? context.score + 10 : 10 })),
  },
  delays: { patience: 60_000, reminder: 30_000 },
})

const sayThanks = { type: 'sendMessage', params: { author: 'system', body: 'thanks' } } as const

const first = kit.createMachine({
  id: 'survey',
  version: '1',
  context: { answers: 0 },
  initial: 'PENDING',
  states: {
    PENDING: {
      initial: 'asking',
      on: { 'message.received': { target: '.asking', actions: 'count', reenter: true } },
      after: { patience: 'EXPIRED' },
      states: {
        asking: { after: { 2_000: 'drafting' } },
        drafting: {
          invoke: { id: 'draft', src: 'draftReply', onDone: 'asked', onError: 'asked' },
        },
        asked: { entry: sayThanks },
      },
    },
    EXPIRED: { tags: 'closed' },
  },
})

const second = kit.createMachine({
  id: 'survey',
  version: '2',
  context: { score: 0 },
  initial: 'PENDING',
  states: {
    PENDING: {
      initial: 'listening',
      on: { 'message.received': { target: '.listening', actions: 'addScore', reenter: true } },
      after: { patience: 'EXPIRED' },
      states: {
        listening: { after: { 2_000: 'heard', reminder: 'listening' } },
        heard: { entry: sayThanks, after: { reminder: 'checking' } },
        checking: { invoke: { id: 'check', src: 'draftReply', onDone: 'heard', onError: 'heard' } },
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
    readCommand: () => 'a survey takes no commands',
    toRefusal: () => 'a survey takes no commands',
    toConsent: () => null,
    effectActions: ['sendMessage'],
    ...rest,
  }
}

const newPlaces: { readonly [state: string]: string } = {
  asking: 'listening',
  drafting: 'listening',
  asked: 'checking',
}

export const surveyOne = register(first)

/** What the second build knows of the first: its chart, and how its snapshots become those of version 2. */
export const fromOneToTwo: OlderVersion = {
  version: '1',
  registration: surveyOne,
  migrate: (snapshot) => {
    const { answers } = snapshot.context as { readonly answers: number }
    const value = snapshot.value as string | { readonly PENDING: string }
    const place = typeof value === 'string' ? value : { PENDING: newPlaces[value.PENDING] ?? 'listening' }
    return { ...snapshot, value: place, context: { score: answers * 10 } }
  },
}

export const surveyTwo = register(second, { versions: [fromOneToTwo] })

const third = second.provide({})
third.version = '3'

const fromTwoToThree: OlderVersion = {
  version: '2',
  registration: register(second),
  migrate: (snapshot) => ({ ...snapshot, context: { score: (snapshot.context as { score: number }).score + 1 } }),
}

export const surveyThree = register(third, { versions: [fromOneToTwo, fromTwoToThree] })

/** A build in which version 1 is only migrated, no longer run. */
export const surveyThreeWithoutOne = register(third, {
  versions: [{ ...fromOneToTwo, registration: null }, fromTwoToThree],
})
