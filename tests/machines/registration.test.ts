import { describe, expect, test } from 'vitest'

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
