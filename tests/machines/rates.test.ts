/** Too many messages of one user, and too many for the tenant: kept, told once, not answered. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { countMessage, isTooMany, noRate, noteTold, noteToldFor } from '../../src/machines/conversation/rate.ts'
import { conversationRegistration as registration } from '../../src/machines/conversation/registration.ts'
import { sentences } from '../../src/machines/conversation/sentences.ts'
import { at, PureConversation, whatsapp } from './pure-conversation.ts'

const settings = { senderPerMinuteMax: 3, senderPerHourMax: 5, language: 'en' }
const minuteMs = 60_000

function flooded(): PureConversation {
  const conversation = new PureConversation({ ...whatsapp, settings })
  for (let index = 0; index < 6; index += 1) conversation.message('hello')
  return conversation
}

describe('a user who writes too much', () => {
  test('is told once, and what is over the limit joins no turn', () => {
    const conversation = flooded()
    expect(conversation.context.turn.messages.map(({ messageId }) => messageId)).toEqual(['m1', 'm2', 'm3'])
    expect(conversation.limited).toEqual(['m4', 'm5', 'm6'])
    expect(conversation.sent.map(({ body }) => body)).toEqual([sentences.en.tooMany])
    conversation.advance(8_000)
    expect(conversation.draft?.messages).toHaveLength(3)
  })

  test('does not disturb the answer that is being drafted', () => {
    const conversation = flooded()
    conversation.advance(8_000)
    conversation.message('and now?')
    expect(conversation.state).toBe('PENDING.answering')
    expect(conversation.limited).toHaveLength(4)
  })

  test('is told so while a voice message is being read, too', () => {
    const conversation = at('PENDING.transcribing', settings)
    for (let index = 0; index < 3; index += 1) conversation.message('hello')
    expect(conversation.context.turn.messages).toHaveLength(3)
    expect(conversation.limited).toEqual(['m4'])
    expect(conversation.sent.map(({ body }) => body)).toEqual([sentences.en.tooMany])
    expect(conversation.state).toBe('PENDING.transcribing')
  })

  test('is answered again when the minute is over, until the hour’s limit', () => {
    const conversation = flooded()
    conversation.advance(minuteMs)
    for (let index = 0; index < 3; index += 1) conversation.message('again')
    expect(conversation.limited).toEqual(['m4', 'm5', 'm6', 'm9'])
    expect(conversation.sent.filter(({ body }) => body === sentences.en.tooMany)).toHaveLength(2)
    conversation.advance(2 * minuteMs)
    conversation.message('again')
    expect(conversation.limited.at(-1)).toBe('m10')
    expect(conversation.sent.filter(({ body }) => body === sentences.en.tooMany)).toHaveLength(2)
  })

  test.each([
    ['STOP', 'USER_CLOSED'],
    ['sair', 'USER_CLOSED'],
    ['atendente', 'HUMAN_HANDOFF.queued'],
  ])('is heard when it is "%s"', (body, state) => {
    const conversation = flooded()
    conversation.message(body)
    expect(conversation.state).toBe(state)
  })

  test('gets no new allowance by closing and opening again', () => {
    const conversation = flooded()
    conversation.message('sair')
    const previous = {
      conversationId: 'c1',
      status: 'USER_CLOSED',
      reason: null,
      context: conversation.context as never,
    } as const
    const opening = { at: conversation.now, businessAddress: 'whatsapp:+14155238886', settings, previous }
    const message = { type: 'message.received', messageId: 'm9', body: 'hello', media: [], at: conversation.now }
    expect(registration.opensOn(message, opening)).toBe(false)
    expect(registration.isOverLimit?.(message, opening)).toBe(true)
    const later = { ...opening, at: conversation.now + minuteMs }
    expect(registration.opensOn(message, later)).toBe(true)
    expect(registration.toInput(later)).toMatchObject({ rate: { hourCount: 3 } })
  })

  test('in a handoff is left to the person', () => {
    const conversation = at('HUMAN_HANDOFF.assigned', settings)
    for (let index = 0; index < 9; index += 1) conversation.message('hello')
    expect(conversation.limited).toEqual([])
  })
})

describe('a tenant whose budget is used up', () => {
  test.each([
    ['tenant-minute', 1],
    ['tenant-hour', 60],
  ])('by %s answers nobody, tells so once, and answers again later', (code, minutes) => {
    const conversation = at('PENDING.answering', { language: 'en' })
    conversation.failDraft(code)
    expect(conversation.state).toBe('PROGRESS.waiting')
    conversation.message('and now?')
    conversation.advance(2_000)
    conversation.failDraft(code)
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.sent.map(({ body }) => body)).toEqual([sentences.en.tooBusy])
    conversation.advance(minutes * minuteMs)
    conversation.message('and now?')
    conversation.advance(2_000)
    conversation.failDraft(code)
    expect(conversation.sent.map(({ body }) => body)).toEqual([sentences.en.tooBusy, sentences.en.tooBusy])
  })

  test.each([
    ['tenant-minute', minuteMs],
    ['tenant-hour', 60 * minuteMs],
  ])('by %s tells so again when %i ms are over since, and not before', (code, windowMs) => {
    for (const [waitedMs, told] of [
      [windowMs - 1, 1],
      [windowMs, 2],
    ] as const) {
      const conversation = at('PENDING.answering', { language: 'en' })
      conversation.failDraft(code)
      conversation.advance(waitedMs - conversation.context.settings.quietMs)
      conversation.message('and now?')
      conversation.advance(2_000)
      conversation.failDraft(code)
      expect(conversation.sent.filter(({ body }) => body === sentences.en.tooBusy)).toHaveLength(told)
    }
  })

  test('reads no voice message either', () => {
    const conversation = at('PENDING.transcribing')
    conversation.failHearing('tenant-minute')
    expect(conversation.state).toBe('PROGRESS.waiting')
    expect(conversation.sent.map(({ body }) => body)).toEqual([sentences.en.tooBusy])
  })
})

test('whatever the moments, a window never takes more than its limit', () => {
  const limits = { senderPerMinuteMax: 3, senderPerHourMax: 20 }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 30_000 }), { maxLength: 300 }), (pauses) => {
      let now = 1_800_000_000_000
      let rate = noRate
      const taken: number[] = []
      for (const pause of pauses) {
        now += pause
        if (isTooMany(rate, now, limits)) continue
        rate = countMessage(rate, now)
        taken.push(now)
      }
      // Fixed windows: two that touch can hold twice the limit, and never more.
      for (const start of taken) {
        expect(taken.filter((each) => each >= start && each < start + minuteMs).length).toBeLessThanOrEqual(6)
        expect(taken.filter((each) => each >= start && each < start + 60 * minuteMs).length).toBeLessThanOrEqual(40)
      }
    }),
    { numRuns: 200 },
  )
})

describe('a window', () => {
  const limits = { senderPerMinuteMax: 2, senderPerHourMax: 3 }
  const start = 7_200_000

  test('takes as many as its limit, and begins anew with the first message after its end', () => {
    const two = countMessage(countMessage(noRate, start), start + 1)
    expect(two).toEqual({ minuteAt: start, minuteCount: 2, hourAt: start, hourCount: 2, toldUntil: 0 })
    expect(isTooMany(countMessage(noRate, start), start, limits)).toBe(false)
    expect(isTooMany(two, start + minuteMs - 1, limits)).toBe(true)
    expect(isTooMany(two, start + minuteMs, limits)).toBe(false)
    const three = countMessage(two, start + minuteMs)
    expect(three).toEqual({ ...two, minuteAt: start + minuteMs, minuteCount: 1, hourCount: 3 })
    expect(isTooMany(three, start + 60 * minuteMs - 1, limits)).toBe(true)
    expect(isTooMany(three, start + 60 * minuteMs, limits)).toBe(false)
    const next = start + 60 * minuteMs
    expect(countMessage(three, next)).toEqual({ ...three, minuteAt: next, minuteCount: 1, hourAt: next, hourCount: 1 })
  })

  test('may be the hour’s alone: the minute’s goes on in it', () => {
    const late = { minuteAt: start + 59.5 * minuteMs, minuteCount: 1, hourAt: start, hourCount: 9, toldUntil: 0 }
    const later = start + 60 * minuteMs
    expect(countMessage(late, later)).toEqual({ ...late, minuteCount: 2, hourAt: later, hourCount: 1 })
  })

  test('that is exceeded is told of until its end', () => {
    const two = countMessage(countMessage(noRate, start), start)
    expect(noteTold(two, start + 5, limits)).toEqual({ ...two, toldUntil: start + minuteMs })
    const three = countMessage(two, start + minuteMs)
    expect(noteTold(three, start + minuteMs, limits)).toEqual({ ...three, toldUntil: start + 60 * minuteMs })
    expect(noteTold({ ...two, hourCount: 9 }, start + minuteMs, limits)).toMatchObject({
      toldUntil: start + 60 * minuteMs,
    })
  })

  test('of the tenant is told of for its own length', () => {
    expect(noteToldFor(noRate, start, 'minute')).toEqual({ ...noRate, toldUntil: start + minuteMs })
    expect(noteToldFor(noRate, start, 'hour')).toEqual({ ...noRate, toldUntil: start + 60 * minuteMs })
  })
})
