/** Voice messages in a turn: what is asked for, what counts, and that nothing waits for ever. */
import { describe, expect, test } from 'vitest'

import { conversationRegistration as registration } from '../../src/machines/conversation/registration.ts'
import { sentences } from '../../src/machines/conversation/sentences.ts'
import { goodDraft, PureConversation, reach, voiceNote, whatsapp } from './pure-conversation.ts'

function hearing(): PureConversation {
  return reach(new PureConversation(), 'PENDING.transcribing')
}

const bodies = (conversation: PureConversation) => conversation.sent.map(({ body }) => body)

describe('a voice message', () => {
  test('is asked for by its place and address, and the answer goes to the assistant with the turn', () => {
    const conversation = hearing()
    expect(conversation.hearing).toEqual({
      turn: 1,
      attempt: 1,
      notes: [{ messageId: 'm1', media: 0, ...voiceNote }],
    })
    conversation.finishHearing('where is my order 4512?')
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.draft?.messages).toMatchObject([
      { body: '', voices: [{ media: 0, kind: 'heard', text: 'where is my order 4512?' }] },
    ])
    expect(conversation.draft?.language).toBe('en')
    conversation.finishDraft(goodDraft)
    expect(conversation.state).toBe('PROGRESS.waiting')
  })

  test('several of one turn, and several in one message, are asked for together', () => {
    const conversation = new PureConversation()
    conversation.message('two things', [voiceNote, voiceNote])
    conversation.voice()
    conversation.advance(1_500)
    expect(conversation.hearing?.notes.map(({ messageId, media }) => [messageId, media])).toEqual([
      ['m1', 0],
      ['m1', 1],
      ['m2', 0],
    ])
    conversation.finishHearing('one', null, 'three')
    expect(conversation.draft?.messages.map(({ voices }) => voices.map(({ kind }) => kind))).toEqual([
      ['heard', 'unreadable'],
      ['heard'],
    ])
  })

  test('more than ten are asked for in tens', () => {
    const conversation = new PureConversation()
    for (let index = 0; index < 12; index += 1) conversation.voice()
    conversation.advance(8_000)
    expect(conversation.hearing?.notes).toHaveLength(10)
    conversation.finishHearing(...Array.from({ length: 10 }, () => 'so'))
    expect(conversation.hearing?.notes).toHaveLength(2)
    conversation.finishHearing('and', 'so')
    expect(conversation.state).toBe('PENDING.answering')
  })

  test('that is written after joins the turn without a second request for the first', () => {
    const conversation = hearing()
    conversation.message('and one more thing')
    expect(conversation.state).toBe('PENDING.transcribing')
    conversation.finishHearing('my order')
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.draft?.messages.map(({ body }) => body)).toEqual(['', 'and one more thing'])
    expect(conversation.hearing).toBeNull()
  })

  test.each(['START', 'yes, that one'])('is joined by "%s", which asks for nothing', (body) => {
    const conversation = hearing()
    conversation.message(body)
    expect(conversation.state).toBe('PENDING.transcribing')
    expect(conversation.context.turn.messages.map((message) => message.body)).toEqual(['', body])
  })

  test('asked for a second time is asked for by its attempt', () => {
    const conversation = hearing()
    conversation.failHearing()
    expect(conversation.hearing).toMatchObject({ turn: 1, attempt: 2 })
    conversation.finishHearing('hello')
    expect(conversation.context.turn.hearingFailures).toBe(0)
  })

  test.each([
    ['stop', 'USER_CLOSED', []],
    ['quero falar com um atendente', 'HUMAN_HANDOFF.queued', [sentences.pt.personIsComing]],
    ['muito obrigado, tchau!', 'USER_CLOSED', [sentences.pt.goodbye]],
    ['sair', 'USER_CLOSED', [sentences.pt.goodbye]],
    ['não quero sair', 'PENDING.answering', []],
  ])('that says "%s" counts like a written one', (text, state, said) => {
    const conversation = hearing()
    conversation.finishHearing(text)
    expect(conversation.state).toBe(state)
    expect(bodies(conversation)).toEqual(said)
  })

  test('says goodbye after something that was written', () => {
    const conversation = new PureConversation()
    conversation.message('where is my order?')
    conversation.voice()
    conversation.advance(3_000)
    conversation.finishHearing('tchau')
    expect(conversation.state).toBe('USER_CLOSED')
  })

  const picture = { url: 'https://example.org/a.png', contentType: 'image/png' }

  test.each([
    ['a text', 'here', [voiceNote]],
    ['a picture', '', [voiceNote, picture]],
    ['another voice', '', [voiceNote, voiceNote]],
  ])('beside %s asks for nothing in a word but for the end of all messages', (_what, body, media) => {
    const heard = (text: string) => {
      const conversation = new PureConversation()
      conversation.message(body, media)
      conversation.advance(1_500)
      conversation.finishHearing(text)
      return conversation.state
    }
    expect(['atendente', 'tchau', 'stop'].map(heard)).toEqual(['PENDING.answering', 'PENDING.answering', 'USER_CLOSED'])
  })

  test('beside nothing but spaces is alone', () => {
    const conversation = new PureConversation()
    conversation.message(' \n', [voiceNote])
    conversation.advance(1_500)
    conversation.finishHearing('atendente')
    expect(conversation.state).toBe('HUMAN_HANDOFF.queued')
  })

  test('shows the language of the newest one that shows any', () => {
    const heard = (...texts: readonly (string | null)[]) => {
      const conversation = new PureConversation()
      for (const _ of texts) conversation.voice()
      conversation.advance(3_000)
      conversation.finishHearing(...texts)
      return conversation.context.language
    }
    expect(heard('hello, where is my order?', 'quero meu pedido')).toBe('pt')
    expect(heard('quero meu pedido', '4512')).toBe('pt')
    expect(heard('quero meu pedido', null)).toBe('pt')
    expect(heard('4512')).toBe('en')
  })

  test('that opts out wins over another one of the turn that asks for a person', () => {
    const conversation = new PureConversation()
    conversation.voice()
    conversation.voice()
    conversation.advance(3_000)
    conversation.finishHearing('atendente', 'stop')
    expect(conversation.state).toBe('USER_CLOSED')
  })

  test('says no goodbye when something was written after it', () => {
    const conversation = hearing()
    conversation.message('wait, where is my order?')
    conversation.finishHearing('tchau')
    expect(conversation.state).toBe('PENDING.answering')
  })

  test('takes consent away, and does not give it', () => {
    const channel = { businessAddress: 'whatsapp:+14155238886', settings: {} }
    const heard = (text: string) => ({
      type: 'xstate.done.actor.transcribe',
      output: { transcripts: [{ messageId: 'm1', media: 0, text }] },
    })
    expect(registration.toConsent(heard('STOP'), channel)).toBe('withdrawn')
    expect(registration.toConsent(heard('START'), channel)).toBeNull()
    expect(registration.toConsent(heard('please stop by tomorrow'), channel)).toBeNull()
    expect(registration.toConsent({ ...heard('x'), output: { transcripts: 'STOP' } } as never, channel)).toBeNull()
  })
})

describe('a voice message that cannot be read', () => {
  test('is tried twice, then the user is asked to write, in the language of before', () => {
    const conversation = new PureConversation({ ...whatsapp, settings: { language: 'es' } })
    reach(conversation, 'PENDING.transcribing')
    conversation.failHearing('unavailable')
    expect(conversation.hearing?.attempt).toBe(2)
    conversation.failHearing('unavailable')
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(bodies(conversation)).toEqual([sentences.es.cannotHear])
    expect(conversation.draft).toBeNull()
  })

  test('because nobody reads them here is not tried again', () => {
    const conversation = hearing()
    conversation.failHearing('not-configured')
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(bodies(conversation)).toEqual([sentences.en.cannotHear])
  })

  test('beside something written leaves that to the assistant, who is told', () => {
    const conversation = new PureConversation()
    conversation.message('here it is', [voiceNote])
    conversation.advance(1_500)
    conversation.failHearing('not-configured')
    expect(conversation.state).toBe('PENDING.answering')
    expect(bodies(conversation)).toEqual([sentences.en.cannotHear])
    expect(conversation.draft?.messages[0]?.voices).toEqual([{ media: 0, kind: 'unreadable' }])
  })

  test('because there is nothing in it is not tried again', () => {
    const conversation = hearing()
    conversation.finishHearing(null)
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(bodies(conversation)).toEqual([sentences.en.cannotHear])
  })

  test('in time is given up like one that fails', () => {
    const conversation = hearing()
    conversation.advance(45_000)
    expect(conversation.hearing?.attempt).toBe(2)
    conversation.advance(45_000)
    expect(conversation.state).toBe('PROGRESS.waiting')
  })

  test.each([
    ['no list', { transcripts: 'all' }],
    ['no object', 'text'],
    ['a text that is too long', { transcripts: [{ messageId: 'm1', media: 0, text: 'x'.repeat(5_000) }] }],
    ['a text that is none', { transcripts: [{ messageId: 'm1', media: 0, text: 7 }] }],
    ['another message’s', { transcripts: [{ messageId: 'm9', media: 0, text: 'STOP' }] }],
    ['another attachment’s', { transcripts: [{ messageId: 'm1', media: 5, text: 'STOP' }] }],
    ['nothing', { transcripts: [] }],
  ])('because the output is %s counts as a failure', (_what, output) => {
    const conversation = hearing()
    conversation.send({ type: 'xstate.done.actor.transcribe', output, actorId: 'transcribe' } as never)
    expect(conversation.state).toBe('PENDING.transcribing')
    expect(conversation.context.turn.hearingFailures).toBe(1)
  })
})
