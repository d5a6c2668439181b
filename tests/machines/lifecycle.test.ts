import { describe, expect, test } from 'vitest'

import { replyCharactersMax } from '../../src/machines/conversation/draft.ts'
import { sentences } from '../../src/machines/conversation/sentences.ts'
import { at, failThrice, goodDraft, operator, PureConversation, whatsapp } from './pure-conversation.ts'
import type { Place } from './pure-conversation.ts'

const openPlaces: readonly Place[] = [
  'PENDING.collecting',
  'PENDING.transcribing',
  'PENDING.answering',
  'PROGRESS.waiting',
  'PROGRESS.collecting',
  'PROGRESS.transcribing',
  'PROGRESS.answering',
  'HUMAN_HANDOFF.queued',
  'HUMAN_HANDOFF.assigned',
  'IDLE_TIMEOUT',
]

describe('a turn', () => {
  test('the first reply leads from PENDING to PROGRESS and is sent as the assistant', () => {
    const conversation = at('PENDING.answering')
    expect(conversation.draft).toEqual({
      turn: 1,
      attempt: 1,
      messages: [{ messageId: 'm1', body: 'hello', media: [], notes: [], voices: [] }],
      omitted: 0,
      language: 'en',
      recovery: null,
    })
    conversation.finishDraft(goodDraft)
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.sent).toEqual([{ author: 'assistant', body: goodDraft.reply }])
    expect(conversation.context.turn).toEqual({
      number: 1,
      failures: 0,
      hearingFailures: 0,
      omitted: 0,
      messages: [],
      window: null,
    })
  })

  test('several quick messages are answered together', () => {
    const conversation = new PureConversation()
    for (const body of ['hi', 'I have a question', 'when do you open?']) {
      conversation.message(body)
      conversation.advance(1_000)
    }
    conversation.advance(500)
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.draft?.messages.map(({ body }) => body)).toEqual([
      'hi',
      'I have a question',
      'when do you open?',
    ])
  })

  test('a message while answering cancels the draft; the next one has all unanswered messages', () => {
    const conversation = at('PROGRESS.answering')
    const orders = conversation.message('and is it open today?')
    expect(orders).toContainEqual({ kind: 'stop', id: 'draftReply' })
    expect(conversation.state).toBe('PROGRESS.collecting')
    expect(conversation.draft).toBeNull()
    conversation.advance(1_500)
    expect(conversation.draft).toMatchObject({ turn: 2, attempt: 1 })
    expect(conversation.draft?.messages.map(({ body }) => body)).toEqual([
      'where is my order?',
      'and is it open today?',
    ])
  })

  test('a result that arrives after its draft was cancelled changes nothing', () => {
    const conversation = at('PROGRESS.collecting')
    const before = conversation.snapshot
    conversation.finishDraft(goodDraft)
    expect(conversation.snapshot).toBe(before)
  })

  test('turns are counted and begin empty', () => {
    const conversation = at('PROGRESS.answering')
    expect(conversation.draft?.turn).toBe(2)
    conversation.finishDraft(goodDraft)
    conversation.message('one more thing')
    conversation.advance(1_500)
    expect(conversation.draft).toMatchObject({ turn: 3, messages: [{ body: 'one more thing' }] })
  })

  test('a flood keeps the newest messages and counts the others', () => {
    const conversation = new PureConversation({ ...whatsapp, settings: { senderPerMinuteMax: 1_000 } })
    for (let index = 1; index <= 60; index += 1) conversation.message(`message ${index}`)
    expect(conversation.context.turn.messages).toHaveLength(20)
    expect(conversation.context.turn.messages.at(-1)?.body).toBe('message 60')
    expect(conversation.context.turn.omitted).toBe(40)
    for (let index = 0; index < 8; index += 1) conversation.message('x'.repeat(10_000))
    expect(conversation.context.turn.messages.map(({ body }) => body.length)).toEqual([4_096, 4_096])
    expect(conversation.context.turn.omitted).toBe(66)
  })
})

describe('a draft that fails', () => {
  test.each([
    ['an empty reply', { ...goodDraft, reply: '  ' }],
    ['a reply beyond what WhatsApp takes', { ...goodDraft, reply: 'x'.repeat(replyCharactersMax + 1) }],
    ['an unknown intent', { ...goodDraft, intent: 'refund' }],
    ['a confidence above 1', { ...goodDraft, confidence: 1.01 }],
    ['a confidence that is text', { ...goodDraft, confidence: '0.9' }],
    ['no confidence', { reply: 'hi', intent: 'continue' }],
    ['a list', [goodDraft]],
    ['null', null],
    ['text', 'hello'],
  ])('%s counts as a failed attempt', (_, output) => {
    const conversation = at('PENDING.answering')
    conversation.finishDraft(output)
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.draft).toMatchObject({ turn: 1, attempt: 2 })
    expect(conversation.sent).toEqual([])
  })

  test('three failures of any kind say so to the user and call a person', () => {
    const conversation = at('PENDING.answering')
    conversation.failDraft()
    conversation.finishDraft(null)
    expect(conversation.state).toBe('PENDING.answering')
    conversation.advance(60_000)
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.sent).toEqual([{ author: 'system', body: sentences.en.answerFailed }])
    expect(conversation.context.reason).toBe('the assistant could not answer')
    expect(conversation.draft).toBeNull()
  })

  test.each([
    ['nothing', null],
    ['a text', 'gone'],
    ['an object without a code', { message: 'gone' }],
    ['a number for a code', { code: 7 }],
    ['a list for a code', { code: ['tenant-minute'] }],
    ['a code that every object knows', { code: 'constructor' }],
  ])('whose error is %s is tried again', (_what, error) => {
    const conversation = at('PENDING.answering')
    conversation.send({ type: 'xstate.error.actor.draftReply', error, actorId: 'draftReply' } as never)
    expect(conversation.draft).toMatchObject({ turn: 1, attempt: 2 })
  })

  test('failures of a turn are counted across a message that restarts it', () => {
    const conversation = at('PENDING.answering')
    conversation.failDraft()
    conversation.failDraft()
    conversation.message('hello?')
    conversation.advance(1_500)
    expect(conversation.draft?.attempt).toBe(3)
    conversation.failDraft()
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
  })

  test('the count begins anew with the next turn', () => {
    const conversation = at('PENDING.answering')
    conversation.failDraft()
    conversation.finishDraft(goodDraft)
    conversation.message('and now?')
    conversation.advance(1_500)
    expect(conversation.draft?.attempt).toBe(1)
  })

  test('when nobody came the last time either, the conversation fails and says so', () => {
    const conversation = at('FAILED')
    expect(conversation.sent.map(({ body }) => body).slice(-3)).toEqual([
      sentences.en.answerFailed,
      sentences.en.nobodyCame,
      sentences.en.cannotGoOn,
    ])
    expect(conversation.context.reason).toBe('the assistant could not answer and nobody came')
  })

  test('an answer in between earns another call for a person', () => {
    const conversation = at('HUMAN_HANDOFF.queued')
    conversation.advance(30 * 60_000)
    conversation.message('hello?')
    conversation.advance(1_500)
    conversation.finishDraft(goodDraft)
    conversation.message('hello again?')
    conversation.advance(1_500)
    failThrice(conversation)
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
  })
})

describe('what a draft may choose', () => {
  test('a person: the reply is sent, and a person is called', () => {
    const conversation = at('PENDING.answering')
    conversation.finishDraft({ ...goodDraft, intent: 'handoff', confidence: 0.1 })
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.sent).toEqual([{ author: 'assistant', body: goodDraft.reply }])
  })

  test('a goodbye that it is sure of: the reply is the goodbye', () => {
    const conversation = at('PROGRESS.answering')
    conversation.finishDraft({ ...goodDraft, intent: 'close', confidence: 0.8 })
    expect(conversation.state).toBe('USER_CLOSED')
    expect(conversation.sent.slice(1)).toEqual([{ author: 'assistant', body: goodDraft.reply }])
  })

  test('a goodbye that it is not sure of goes on', () => {
    const conversation = at('PROGRESS.answering')
    conversation.finishDraft({ ...goodDraft, intent: 'close', confidence: 0.79 })
    expect(conversation.state).toBe('PROGRESS.waiting')
  })
})

describe('closing by the user', () => {
  test.each(openPlaces)('"sair" closes in %s, with one goodbye', (place) => {
    const conversation = at(place)
    const sentBefore = conversation.sent.length
    conversation.message('sair')
    expect(conversation.state).toBe('USER_CLOSED')
    expect(conversation.sent.slice(sentBefore)).toEqual([{ author: 'system', body: sentences.pt.goodbye }])
    expect(conversation.draft).toBeNull()
    expect(conversation.timers.size).toBe(0)
    conversation.message('obrigado!')
    conversation.message('sair')
    expect(conversation.sent).toHaveLength(sentBefore + 1)
  })

  test.each(openPlaces)('"obrigado, mas ainda preciso de ajuda" does not close in %s', (place) => {
    const conversation = at(place)
    conversation.message('obrigado, mas ainda preciso de ajuda')
    expect(conversation.snapshot.hasTag('closed')).toBe(false)
  })

  test('opting out closes without a word', () => {
    const conversation = at('PROGRESS.waiting')
    const sentBefore = conversation.sent.length
    conversation.message('STOP')
    expect(conversation.state).toBe('USER_CLOSED')
    expect(conversation.sent).toHaveLength(sentBefore)
    expect(conversation.context.reason).toBe('the user opted out')
  })

  test('CANCEL opts out on SMS and says goodbye on WhatsApp', () => {
    const sms = new PureConversation({ ...whatsapp, scheme: 'sms' })
    sms.message('CANCEL')
    expect(sms.sent).toEqual([])
    expect(sms.context.reason).toBe('the user opted out')
    const other = new PureConversation()
    other.message('CANCEL')
    expect(other.sent).toHaveLength(1)
  })

  test.each(['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED'] as const)('the user outranks %s', (place) => {
    const conversation = at(place)
    conversation.message('sair')
    expect(conversation.state).toBe('USER_CLOSED')
  })
})

describe('idle', () => {
  test('a message brings an idle conversation back and is answered', () => {
    const conversation = at('IDLE_TIMEOUT')
    conversation.message('I am back')
    expect(conversation.state).toBe('PROGRESS.collecting')
    conversation.advance(1_500)
    expect(conversation.draft?.messages.map(({ body }) => body)).toEqual(['I am back'])
  })
})

describe('a person', () => {
  test.each([
    'PENDING.collecting',
    'PENDING.transcribing',
    'PENDING.answering',
    'PROGRESS.waiting',
    'PROGRESS.transcribing',
    'PROGRESS.answering',
    'IDLE_TIMEOUT',
  ] as const)('the user asks for one in %s', (place) => {
    const conversation = at(place)
    conversation.message('quero falar com um atendente')
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.sent.at(-1)).toEqual({ author: 'system', body: sentences.pt.personIsComing })
    expect(conversation.draft).toBeNull()
  })

  test('in the queue the assistant stays silent, and a message is taken without a word', () => {
    const conversation = at('HUMAN_HANDOFF.queued')
    const before = { snapshot: conversation.snapshot, sent: conversation.sent.length }
    conversation.message('anybody?')
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
    expect(conversation.snapshot).not.toBe(before.snapshot)
    expect(conversation.sent).toHaveLength(before.sent)
    expect(conversation.draft).toBeNull()
  })

  test('nobody came: back to PROGRESS with a word', () => {
    const conversation = at('HUMAN_HANDOFF.queued')
    conversation.advance(30 * 60_000)
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.sent.at(-1)).toEqual({ author: 'system', body: sentences.en.nobodyCame })
  })

  test('only the assigned operator replies and releases', () => {
    const conversation = at('HUMAN_HANDOFF.assigned')
    const before = conversation.snapshot
    conversation.send(operator(conversation, 'replied', { operatorId: 'rui', body: 'hi' }))
    conversation.send(operator(conversation, 'released', { operatorId: 'rui' }))
    expect(conversation.snapshot).toBe(before)
    conversation.send(operator(conversation, 'replied', { body: 'Ana here' }))
    expect(conversation.sent.at(-1)).toEqual({ author: 'operator', body: 'Ana here' })
    conversation.send(operator(conversation, 'released'))
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.context.operatorId).toBeNull()
  })
})

describe('closings that race', () => {
  type Closing = readonly [name: string, rank: number, apply: (conversation: PureConversation) => void]
  const closings: readonly Closing[] = [
    ['EXPIRED', 1, (conversation) => conversation.advance(24 * 3_600_000)],
    [
      'AGENT_CLOSED',
      2,
      (conversation) => void conversation.send(operator(conversation, 'closed', { as: 'agent', reason: 'r' })),
    ],
    [
      'SUPPORT_CLOSED',
      3,
      (conversation) => void conversation.send(operator(conversation, 'closed', { as: 'support', reason: 'r' })),
    ],
    ['USER_CLOSED', 4, (conversation) => void conversation.message('sair')],
  ]
  const pairs = closings.flatMap((first) => closings.map((second) => ({ first, second })))

  test.each(pairs)('$first.0 and then $second.0 end in the stronger of the two', ({ first, second }) => {
    const conversation = at('IDLE_TIMEOUT')
    first[2](conversation)
    const afterFirst = conversation.snapshot
    second[2](conversation)
    expect(conversation.state).toBe(first[1] >= second[1] ? first[0] : second[0])
    expect(conversation.snapshot === afterFirst).toBe(first[1] >= second[1])
  })

  test('FAILED outranks them all', () => {
    const conversation = at('FAILED')
    const before = conversation.snapshot
    for (const [, , apply] of closings) apply(conversation)
    expect(conversation.snapshot).toBe(before)
  })

  test('a closed conversation takes no other event', () => {
    for (const place of ['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'] as const) {
      const conversation = at(place)
      const before = conversation.snapshot
      conversation.message('hello again')
      conversation.message('atendente')
      for (const what of ['assigned', 'replied', 'released'] as const) conversation.send(operator(conversation, what))
      const delivery = { type: 'delivery.updated', effectId: 'e1', status: 'delivered', errorCode: null, at: 0 }
      conversation.send(delivery)
      conversation.finishDraft(goodDraft)
      conversation.advance(90 * 24 * 3_600_000)
      expect(conversation.snapshot, place).toBe(before)
    }
  })
})
