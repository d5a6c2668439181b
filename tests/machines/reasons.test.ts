/** Why a conversation has its status, as its history tells it. */
import { expect, test } from 'vitest'

import { sentences } from '../../src/machines/conversation/sentences.ts'
import { at, goodDraft, operator, voiceNote } from './pure-conversation.ts'
import type { Place, PureConversation } from './pure-conversation.ts'

type Case = readonly [reason: string, place: Place, state: string, act: (conversation: PureConversation) => unknown]

const hourMs = 3_600_000
const unreachable = { type: 'delivery.updated', effectId: 'e', status: 'failed', errorCode: '63024', at: 0 }

const cases: readonly Case[] = [
  ['the assistant answered', 'PENDING.answering', 'PROGRESS.waiting', (c) => c.finishDraft(goodDraft)],
  [
    'the assistant asked for a person',
    'PROGRESS.answering',
    'HUMAN_HANDOFF.queued',
    (c) => c.finishDraft({ ...goodDraft, intent: 'handoff' }),
  ],
  [
    'the assistant understood a goodbye',
    'PROGRESS.answering',
    'USER_CLOSED',
    (c) => c.finishDraft({ ...goodDraft, intent: 'close', confidence: 1 }),
  ],
  [
    'more messages than the tenant lets its assistant answer',
    'PENDING.answering',
    'PROGRESS.waiting',
    (c) => c.failDraft('tenant-hour'),
  ],
  ['the user asked for a person', 'PROGRESS.waiting', 'HUMAN_HANDOFF.queued', (c) => c.message('atendente')],
  ['the user asked for a person', 'PROGRESS.transcribing', 'HUMAN_HANDOFF.queued', (c) => c.finishHearing('atendente')],
  ['the user opted out', 'PROGRESS.waiting', 'USER_CLOSED', (c) => c.message('STOP')],
  ['the user opted out', 'PROGRESS.transcribing', 'USER_CLOSED', (c) => c.finishHearing('stop')],
  ["the user's word closed it", 'PROGRESS.waiting', 'USER_CLOSED', (c) => c.message('tchau')],
  ["the user's word closed it", 'PROGRESS.transcribing', 'USER_CLOSED', (c) => c.finishHearing('tchau')],
  ['a voice message could not be read', 'PROGRESS.transcribing', 'PROGRESS.waiting', (c) => c.finishHearing(null)],
  ['nobody answered in time', 'PENDING.collecting', 'EXPIRED', (c) => c.advance(1_000)],
  ['the user was silent', 'PROGRESS.waiting', 'IDLE_TIMEOUT', (c) => c.advance(hourMs)],
  ['the user did not come back', 'IDLE_TIMEOUT', 'EXPIRED', (c) => c.advance(48 * hourMs)],
  ['the user came back', 'IDLE_TIMEOUT', 'PROGRESS.collecting', (c) => c.message('I am back')],
  ['an operator took it over', 'PROGRESS.waiting', 'HUMAN_HANDOFF.assigned', (c) => c.send(operator(c, 'assigned'))],
  [
    'an operator took it over',
    'HUMAN_HANDOFF.queued',
    'HUMAN_HANDOFF.assigned',
    (c) => c.send(operator(c, 'assigned')),
  ],
  ['it was moved to the second line', 'HUMAN_HANDOFF.queued', 'HUMAN_HANDOFF.queued', escalate('')],
  ['it was moved to the second line: a refund', 'HUMAN_HANDOFF.queued', 'HUMAN_HANDOFF.queued', escalate('a refund')],
  ['it was moved to the second line: a refund', 'HUMAN_HANDOFF.assigned', 'HUMAN_HANDOFF.queued', escalate('a refund')],
  ['nobody took it over in time', 'HUMAN_HANDOFF.queued', 'PROGRESS.waiting', (c) => c.advance(hourMs / 2)],
  [
    'an operator asked for more time',
    'HUMAN_HANDOFF.assigned',
    'HUMAN_HANDOFF.assigned',
    (c) => c.send(operator(c, 'extended')),
  ],
  [
    'it was handed to a colleague',
    'HUMAN_HANDOFF.assigned',
    'HUMAN_HANDOFF.assigned',
    (c) => c.send(operator(c, 'transferred', { to: 'bia' })),
  ],
  ['the operator gave it back', 'HUMAN_HANDOFF.assigned', 'PROGRESS.waiting', (c) => c.send(operator(c, 'released'))],
  ['both were silent in the handoff', 'HUMAN_HANDOFF.assigned', 'EXPIRED', (c) => c.advance(24 * hourMs)],
  ['an agent closed it: done', 'PROGRESS.waiting', 'AGENT_CLOSED', close('agent')],
  ['support closed it: done', 'PROGRESS.waiting', 'SUPPORT_CLOSED', close('support')],
  ['support closed it: done', 'AGENT_CLOSED', 'SUPPORT_CLOSED', close('support')],
  ['the user cannot be reached at this address', 'PROGRESS.waiting', 'FAILED', (c) => c.send(unreachable)],
]

test.each(cases)('"%s" is told of what leads from %s to %s', (reason, place, state, act) => {
  const conversation = at(place, place === 'PENDING.collecting' ? { pendingExpiryMs: 1_000 } : {})
  act(conversation)
  expect(conversation.state).toBe(state)
  expect(conversation.context.reason).toBe(reason)
})

test('silence at a tenant that does not idle is told as that', () => {
  const conversation = at('PROGRESS.waiting', { idleExpiryMs: 0 })
  conversation.advance(hourMs)
  expect(conversation.state).toBe('EXPIRED')
  expect(conversation.context.reason).toBe('the user was silent, and this tenant waits no longer')
})

test('the first reason is that the user wrote', () => {
  expect(at('PENDING.collecting').context.reason).toBe('the user wrote')
})

test('an escalation of the assigned operator leaves nobody assigned, and the user hears nothing', () => {
  const conversation = at('HUMAN_HANDOFF.assigned')
  const said = conversation.sent.length
  escalate('')(conversation)
  expect(conversation.context).toMatchObject({ operatorId: null, line: 'support' })
  expect(conversation.sent).toHaveLength(said)
})

test('a goodbye that was heard is answered in its own language', () => {
  const conversation = at('PROGRESS.waiting')
  conversation.message('', [voiceNote])
  conversation.advance(1_500)
  conversation.finishHearing('muito obrigado, tchau!')
  expect(conversation.sent.at(-1)).toEqual({ author: 'system', body: sentences.pt.goodbye })
  expect(conversation.context.language).toBe('pt')
})

function escalate(reason: string) {
  return (conversation: PureConversation) => conversation.send(operator(conversation, 'escalated', { reason }))
}

function close(as: 'agent' | 'support') {
  return (conversation: PureConversation) => conversation.send(operator(conversation, 'closed', { as, reason: 'done' }))
}
