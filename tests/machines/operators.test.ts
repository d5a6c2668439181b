/** What operators do to the chart, and what the chart takes of them. */
import { describe, expect, test } from 'vitest'

import { readOperatorEvent } from '../../src/machines/conversation/operator-events.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import { sentences } from '../../src/machines/conversation/sentences.ts'
import { at, goodDraft, operator } from './pure-conversation.ts'
import type { Place, PureConversation } from './pure-conversation.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const askForPerson = (conversation: PureConversation, reason = '') =>
  conversation.send({ type: 'handoff.requested', operatorId: 'rui', reason, at: conversation.now } as never)

const speakerOf = ({ snapshot }: PureConversation): string => conversationRegistration.toSpeaker(snapshot)

const withAssistant: readonly Place[] = [
  'PENDING.collecting',
  'PENDING.answering',
  'PROGRESS.waiting',
  'PROGRESS.collecting',
  'PROGRESS.answering',
  'IDLE_TIMEOUT',
]

describe('a takeover', () => {
  test.each(withAssistant)('out of %s silences the assistant at once', (place) => {
    const conversation = at(place)
    const sentBefore = conversation.sent.length
    conversation.send(operator(conversation, 'assigned'))
    expect(conversation.state).toBe('HUMAN_HANDOFF.assigned')
    expect(speakerOf(conversation)).toBe('operator:ana')
    expect(conversation.draft).toBeNull()
    conversation.finishDraft(goodDraft)
    expect(conversation.sent).toHaveLength(sentBefore)
  })

  test.each(withAssistant)('that is asked for in %s waits in the queue, and nobody speaks', (place) => {
    const conversation = at(place)
    askForPerson(conversation, 'a complaint')
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.sent.at(-1)).toEqual({ author: 'system', body: sentences.en.personIsComing })
    expect(speakerOf(conversation)).toBe('none')
    expect(conversation.context.reason).toBe('a person was asked for: a complaint')
  })

  test('of one that is assigned is refused, and so is a second call for a person', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'assigned', { operatorId: 'bia' }))
    askForPerson(conversation)
    expect(conversation.snapshot).toBe(before)
  })
})

describe('the assigned operator', () => {
  test('hands it to a colleague, who alone may speak from then on', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.send(operator(conversation, 'transferred', { to: 'bia' }))
    expect(speakerOf(conversation)).toBe('operator:bia')
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'replied', { body: 'still me' }))
    expect(conversation.snapshot).toBe(before)
    conversation.send(operator(conversation, 'replied', { operatorId: 'bia', body: 'Bia here' }))
    expect(conversation.sent.at(-1)).toEqual({ author: 'operator', body: 'Bia here' })
  })

  test('gives the colleague the whole time', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.advance(23 * hourMs)
    conversation.send(operator(conversation, 'transferred', { to: 'bia' }))
    conversation.advance(24 * hourMs - 1)
    expect(conversation.state).toBe('HUMAN_HANDOFF.assigned')
    conversation.advance(1)
    expect(conversation.state).toBe('EXPIRED')
  })

  test('hands it to nobody else but a colleague, and nobody else hands it to anybody', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'transferred', { to: 'ana' }))
    conversation.send(operator(conversation, 'transferred', { operatorId: 'rui', to: 'bia' }))
    expect(conversation.snapshot).toBe(before)
  })

  test('escalates it to the second line’s queue, whose 30 minutes begin', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.send(operator(conversation, 'escalated', { reason: 'a refund' }))
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.context).toMatchObject({
      line: 'support',
      operatorId: null,
      reason: 'it was moved to the second line: a refund',
    })
    expect(conversation.nextDueMs).toBe(30 * minuteMs)
    conversation.send(operator(conversation, 'assigned', { operatorId: 'carl' }))
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'escalated', { operatorId: 'carl' }))
    expect(conversation.snapshot).toBe(before)
  })

  test('may be anybody who escalates out of the queue, once', () => {
    const conversation = at('HUMAN_HANDOFF.queued')
    conversation.advance(20 * minuteMs)
    conversation.send(operator(conversation, 'escalated', { operatorId: 'dora' }))
    expect(conversation.nextDueMs).toBe(30 * minuteMs)
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'escalated', { operatorId: 'dora' }))
    expect(conversation.snapshot).toBe(before)
  })

  test.each([
    [-1, 'HUMAN_HANDOFF.assigned'],
    [0, 'EXPIRED'],
    [1, 'EXPIRED'],
  ])('extends the silence: %i ms from its end it is in %s', (offByMs, state) => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.advance(23 * hourMs)
    conversation.send(operator(conversation, 'extended'))
    conversation.advance(24 * hourMs + offByMs)
    expect(conversation.state).toBe(state)
  })

  test('who leaves takes the second line along: the next handoff begins with the first', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    conversation.send(operator(conversation, 'escalated', { reason: '' }))
    conversation.send(operator(conversation, 'assigned', { operatorId: 'carl' }))
    conversation.send(operator(conversation, 'released', { operatorId: 'carl' }))
    expect(conversation.context.line).toBe('agent')
    expect(speakerOf(conversation)).toBe('assistant')
  })

  test('writes long texts in pieces, attachments of their own behind them, and templates alone', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    const mediaUrls = ['https://example.com/a.png']
    conversation.send(operator(conversation, 'replied', { body: 'one two. '.repeat(300), mediaUrls }))
    const pieces = conversation.sent.slice(-3)
    expect(pieces.map((piece) => piece.mediaUrls)).toEqual([undefined, undefined, mediaUrls])
    expect(pieces.every(({ body }) => body.length <= 1_600)).toBe(true)
    conversation.send(operator(conversation, 'replied', { body: '', contentSid: 'HX1' }))
    expect(conversation.sent.at(-1)).toEqual({ author: 'operator', body: '', contentSid: 'HX1' })
  })
})

describe('an answer of the assistant that is too long for one message', () => {
  test('goes out in pieces, in order', () => {
    const conversation = at('PENDING.answering')
    const reply = Array.from({ length: 300 }, (_, index) => `Sentence ${index}.`).join(' ')
    conversation.finishDraft({ ...goodDraft, reply })
    expect(conversation.sent.length).toBeGreaterThan(1)
    expect(conversation.sent.map(({ body }) => body).join(' ')).toBe(reply)
  })
})

test('nobody closes but an agent or support', () => {
  const conversation = at('PROGRESS.waiting')
  const before = conversation.snapshot
  conversation.send(operator(conversation, 'closed', { as: 'somebody', reason: '' }))
  expect(conversation.snapshot).toBe(before)
})

describe('a user who cannot be reached', () => {
  const lost = { type: 'delivery.updated', effectId: 'e', status: 'undelivered', at: 0 }

  test.each([...withAssistant, 'HUMAN_HANDOFF.assigned', 'EXPIRED', 'USER_CLOSED'] as const)(
    'ends %s as FAILED',
    (place) => {
      const conversation = at(place)
      conversation.send({ ...lost, errorCode: '63024' } as never)
      expect(conversation.state).toBe('FAILED')
    },
  )

  test('is not one whose message failed for another reason, or arrived', () => {
    const conversation = at('PROGRESS.waiting')
    const before = conversation.snapshot
    conversation.send({ ...lost, errorCode: '63016' } as never)
    conversation.send({ ...lost, errorCode: null } as never)
    conversation.send({ ...lost, status: 'delivered', errorCode: '63024' } as never)
    expect(conversation.snapshot).toBe(before)
  })
})

describe('silence at a tenant that does not idle', () => {
  test.each([
    [-1, 'PROGRESS.waiting'],
    [0, 'EXPIRED'],
    [1, 'EXPIRED'],
  ])('%i ms from its end the conversation is in %s', (offByMs, state) => {
    const conversation = at('PROGRESS.waiting', { idleExpiryMs: 0 })
    conversation.advance(15 * minuteMs + offByMs)
    expect(conversation.state).toBe(state)
  })
})

describe('a draft that failed for good', () => {
  test('calls a person at the first attempt', () => {
    const conversation = at('PENDING.answering')
    const error = { message: 'the tenant has spent its day', code: 'spend-limit' }
    conversation.send({ type: 'xstate.error.actor.draftReply', error, actorId: 'draftReply' } as never)
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
  })
})

describe('a command from outside', () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['of another type', { type: 'xstate.done.actor.draftReply', operatorId: 'ana' }, /not a command/u],
    ['without a type', { operatorId: 'ana' }, /not a command/u],
    ['without an operator', { type: 'operator.assigned' }, /operatorId/u],
    ['of an operator with spaces', { type: 'operator.assigned', operatorId: 'a b' }, /operatorId/u],
    ['of an operator that is a list', { type: 'operator.assigned', operatorId: ['ana'] }, /operatorId/u],
    ['that says nothing', { type: 'operator.replied', operatorId: 'ana' }, /says something/u],
    ['that says too much', { type: 'operator.replied', operatorId: 'ana', body: 'x'.repeat(4_097) }, /body/u],
    [
      'with a file of this machine',
      { type: 'operator.replied', operatorId: 'ana', mediaUrls: ['file:///a'] },
      /https/u,
    ],
    [
      'with eleven files',
      { type: 'operator.replied', operatorId: 'ana', mediaUrls: Array(11).fill('https://a.b/c') },
      /10/u,
    ],
    [
      'with a template and a text',
      { type: 'operator.replied', operatorId: 'ana', body: 'x', contentSid: `HX${'0'.repeat(32)}` },
      /without body/u,
    ],
    ['with a wrong template', { type: 'operator.replied', operatorId: 'ana', contentSid: 'HX1' }, /contentSid/u],
    ['to nobody', { type: 'operator.transferred', operatorId: 'ana' }, /^to/u],
    ['as somebody else', { type: 'operator.closed', operatorId: 'ana', as: 'user' }, /agent or support/u],
    ['with a long reason', { type: 'operator.escalated', operatorId: 'ana', reason: 'x'.repeat(501) }, /reason/u],
    ['with a reason that is a number', { type: 'handoff.requested', reason: 7 }, /reason/u],
  ])('%s is refused with a sentence', (_, command, sentence) => {
    expect(readOperatorEvent(command as never)).toMatch(sentence)
  })

  test('is read into exactly the event that the chart knows, and nothing else of it gets in', () => {
    const command = {
      type: 'operator.assigned',
      operatorId: 'ana',
      tenantId: 'other',
      at: 5,
      __proto__: { role: 'admin' },
    }
    expect(readOperatorEvent(command as never)).toEqual({ type: 'operator.assigned', operatorId: 'ana' })
    expect(readOperatorEvent({ type: 'handoff.requested' })).toEqual({
      type: 'handoff.requested',
      operatorId: null,
      reason: '',
    })
  })

  test.each<[Place, string, RegExp]>([
    ['PROGRESS.waiting', 'operator.replied', /in PROGRESS/u],
    ['HUMAN_HANDOFF.queued', 'operator.replied', /nobody is assigned/u],
    ['HUMAN_HANDOFF.assigned', 'operator.released', /ana is assigned, not bia/u],
    ['HUMAN_HANDOFF.assigned', 'operator.assigned', /ana is assigned already/u],
    ['HUMAN_HANDOFF.queued', 'handoff.requested', /asked for already/u],
    ['USER_CLOSED', 'operator.assigned', /closed: USER_CLOSED/u],
  ])('that does not fit %s: %s is refused with the reason', (place, type, reason) => {
    const { snapshot } = at(place)
    expect(conversationRegistration.toRefusal(snapshot, { type, operatorId: 'bia' })).toMatch(reason)
  })
})
