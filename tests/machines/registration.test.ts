import { describe, expect, test } from 'vitest'

import { createContext } from '../../src/machines/conversation/context.ts'
import { noRate } from '../../src/machines/conversation/rate.ts'
import { conversationRegistration as registration } from '../../src/machines/conversation/registration.ts'
import type { Opening } from '../../src/machines/registry.ts'
import { closedStatusesByRank, statuses } from '../../src/machines/status.ts'
import type { Status } from '../../src/machines/status.ts'
import { at, places, PureConversation } from './pure-conversation.ts'

function opening(more: Partial<Opening> = {}): Opening {
  return { at: 0, businessAddress: 'whatsapp:+14155238886', settings: {}, previous: null, ...more }
}

function opens(body: string, more: Partial<Opening> = {}): boolean {
  const event = { type: 'message.received', messageId: 'm1', body, media: [], at: 0 }
  return registration.opensOn(event, opening(more))
}

const after = (status: Status) => ({ previous: { conversationId: 'c1', status, reason: 'it broke' } })

describe('what opens a conversation', () => {
  test('a first message does, whatever it says', () => {
    for (const body of ['hello', '', 'obrigado!', 'sair', 'atendente']) expect(opens(body), body).toBe(true)
  })

  test.each(closedStatusesByRank)('after %s a message opens the next one, a goodbye does not', (status) => {
    for (const body of ['hello', 'obrigado, mas ainda preciso de ajuda', 'atendente']) {
      expect(opens(body, after(status)), body).toBe(true)
    }
    for (const body of ['obrigado!', 'tchau', 'sair']) expect(opens(body, after(status)), body).toBe(false)
  })

  test('neither STOP nor START does', () => {
    for (const body of ['STOP', 'START', 'unsubscribe']) expect(opens(body), body).toBe(false)
    const sms = { businessAddress: 'sms:+14155238886' }
    expect(opens('CANCEL', sms)).toBe(false)
    expect(opens('CANCEL')).toBe(true)
  })

  test('no other event does', () => {
    for (const type of ['delivery.updated', 'operator.assigned', 'xstate.init', 'conversation.opened']) {
      expect(registration.opensOn({ type }, opening())).toBe(false)
    }
  })
})

describe('what the host reads of a conversation', () => {
  test('the input carries scheme, settings and how the last conversation ended', () => {
    const settings = { idleTimeoutMs: 1_000 }
    const input = registration.toInput(opening({ businessAddress: 'sms:+1', settings, ...after('FAILED') }))
    expect(input).toEqual({ scheme: 'sms', settings, previousStatus: 'FAILED', previousReason: 'it broke' })
    expect(new PureConversation(input as never).context).toMatchObject({
      scheme: 'sms',
      recovery: { reason: 'it broke' },
    })
  })

  test.each(places)('status, speaker and reason are known in %s', (place) => {
    const { snapshot } = at(place)
    expect(registration.toStatus(snapshot)).toBe(place.split('.')[0])
    expect(registration.toReason(snapshot)).toMatch(/^\w[\w’' ]{8,60}(: done)?$/u)
    const speakers: { readonly [state: string]: string } = {
      'HUMAN_HANDOFF.queued': 'none',
      'HUMAN_HANDOFF.assigned': 'operator:ana',
    }
    const usual = snapshot.hasTag('closed') ? 'none' : 'assistant'
    expect(registration.toSpeaker(snapshot)).toBe(speakers[place] ?? usual)
  })

  test('all nine statuses are reached', () => {
    expect(new Set(places.map((place) => place.split('.')[0]))).toEqual(new Set(statuses))
  })

  test('a conversation at rest is stored in less than a kilobyte', () => {
    const { snapshot } = at('PROGRESS.waiting')
    const stored = JSON.stringify(registration.machine.getPersistedSnapshot(snapshot as never))
    expect(stored.length).toBeLessThan(1_000)
  })
})

describe('what a conversation takes over from the one before', () => {
  const rate = { ...noRate, minuteAt: 5, minuteCount: 2 }
  const previous = { conversationId: 'c1', status: 'EXPIRED', reason: null } as const

  test('is how much its user wrote, where that was counted', () => {
    const input = (context?: object | null) =>
      registration.toInput(
        opening({ previous: { ...previous, ...(context !== undefined && { context: context as never }) } }),
      )
    expect(input({ rate })).toMatchObject({ previousStatus: 'EXPIRED', previousReason: null, rate })
    for (const context of [{}, null, undefined]) expect(input(context)).not.toHaveProperty('rate')
    expect(registration.toInput(opening())).toEqual({
      scheme: 'whatsapp',
      settings: {},
      previousStatus: null,
      previousReason: null,
    })
    expect(new PureConversation(input({ rate }) as never).context.rate).toEqual(rate)
    expect(new PureConversation(input() as never).context.rate).toEqual(noRate)
  })

  test('is why it failed, and nothing of any other end', () => {
    const recoveryAfter = (status: Status, reason: string | null) =>
      new PureConversation(registration.toInput(opening({ previous: { ...previous, status, reason } })) as never)
        .context.recovery
    expect(recoveryAfter('FAILED', 'it broke')).toEqual({ reason: 'it broke' })
    expect(recoveryAfter('FAILED', null)).toEqual({ reason: 'it is not known' })
    expect(recoveryAfter('EXPIRED', 'it broke')).toBeNull()
  })
})

describe('what opens nothing because there is too much of it', () => {
  const full = { ...noRate, minuteAt: 0, minuteCount: 60, hourAt: 0, hourCount: 60 }
  const previous = { conversationId: 'c1', status: 'EXPIRED', reason: null, context: { rate: full } } as const

  test('is what would open one otherwise, and nothing else', () => {
    const over = (body: string, moment = 1_000) => {
      const event = { type: 'message.received', body, media: [] }
      return registration.isOverLimit?.(event, opening({ previous, at: moment }))
    }
    expect(over('hello')).toBe(true)
    expect(over('hello', 60_000)).toBe(false)
    expect(over('obrigado')).toBe(false)
    expect(over('STOP')).toBe(false)
    expect(registration.isOverLimit?.({ type: 'delivery.updated' }, opening({ previous, at: 1_000 }))).toBe(false)
    expect(opens('hello', { previous, at: 1_000 })).toBe(false)
    expect(opens('hello', { previous, at: 60_000 })).toBe(true)
  })
})

describe('consent', () => {
  const channel = { businessAddress: 'whatsapp:+14155238886', settings: {} }
  const ofMessage = (body: string, more: Partial<typeof channel> = {}) =>
    registration.toConsent({ type: 'message.received', body, media: [] } as never, { ...channel, ...more })
  const ofTexts = (...texts: readonly (string | null)[]) => {
    const transcripts = texts.map((text, media) => ({ messageId: 'm1', media, text }))
    return registration.toConsent({ type: 'xstate.done.actor.transcribe', output: { transcripts } } as never, channel)
  }

  test('is taken away and given by what the user writes, by the words of the channel and of the tenant', () => {
    expect(['STOP', 'START', 'hello', 'sair'].map((body) => ofMessage(body))).toEqual([
      'withdrawn',
      'given',
      null,
      null,
    ])
    expect(ofMessage('CANCEL')).toBeNull()
    expect(ofMessage('CANCEL', { businessAddress: 'sms:+14155238886' })).toBe('withdrawn')
    expect(ofMessage('sossega')).toBeNull()
    expect(ofMessage('sossega', { settings: { phrases: { stop: ['sossega'] } } })).toBe('withdrawn')
  })

  test('is taken away by one voice message of several', () => {
    expect(ofTexts('hello', 'stop', null)).toBe('withdrawn')
    expect(ofTexts('hello', null)).toBeNull()
    expect(ofTexts()).toBeNull()
  })

  test('is nothing that other events speak of', () => {
    expect(registration.toConsent({ type: 'xstate.done.actor.transcribe' }, channel)).toBeNull()
    for (const type of ['xstate.done.actor.draftReply', 'operator.replied', 'delivery.updated', '']) {
      const event = {
        type,
        body: 'STOP',
        media: [],
        output: { transcripts: [{ messageId: 'm1', media: 0, text: 'stop' }] },
      }
      expect(registration.toConsent(event as never, channel), type).toBeNull()
    }
  })
})

describe('what must not be', () => {
  test('a state that is no status has no status', () => {
    for (const value of ['GONE', { GONE: 'deep' }]) {
      expect(() => registration.toStatus({ value } as never)).toThrow("the conversation chart has no status 'GONE'")
    }
  })

  test('a context without input is made all the same: XState asks for one inside every step, and drops it', () => {
    expect(createContext({ input: undefined })).toMatchObject({ turn: { number: 0 }, operatorId: null })
  })
})
