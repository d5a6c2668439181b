import { describe, expect, test } from 'vitest'

import type { Clock, Effect, EffectRequest, EffectResult } from '../../../src/actors/ports.ts'
import { createScriptedAssistant } from '../../../src/infra/ai/scripted-assistant.ts'
import { toDraft } from '../../../src/machines/conversation/draft.ts'
import type { Draft, DraftRequest } from '../../../src/machines/conversation/draft.ts'
import type { JsonObject } from '../../../src/machines/json.ts'

/** Time that only moves when the test turns it. */
class TurnedClock implements Clock {
  private nowMs = 0
  readonly tasks = new Set<{ readonly dueAt: number; readonly task: () => void }>()
  now = (): number => this.nowMs
  monotonic = (): number => this.nowMs
  schedule(delayMs: number, task: () => void): () => void {
    const entry = { dueAt: this.nowMs + delayMs, task }
    this.tasks.add(entry)
    return () => void this.tasks.delete(entry)
  }
  turn(byMs: number): void {
    this.nowMs += byMs
    for (const entry of this.tasks) {
      if (entry.dueAt > this.nowMs) continue
      this.tasks.delete(entry)
      entry.task()
    }
  }
}

function toRequest(bodies: readonly string[], more: Partial<DraftRequest> = {}, settings: JsonObject = {}) {
  const messages = bodies.map((body, index) => ({ messageId: `m${index}`, body, media: [], notes: [], voices: [] }))
  const params = { turn: 1, attempt: 1, messages, omitted: 0, language: 'en', recovery: null, ...more }
  const abort = new AbortController()
  const request: EffectRequest = {
    effect: { effectId: 'c1:2:0', conversationId: 'c1', kind: 'draftReply', params } as unknown as Effect,
    session: {
      sessionId: 's1',
      tenantId: 't1',
      channelId: 'n1',
      businessAddress: 'whatsapp:+14155238886',
      replyAddress: 'whatsapp:+15005550006',
      settings,
    },
    deadlineMonotonicMs: 60_000,
    signal: abort.signal,
  }
  return { request, abort }
}

async function draftFor(
  bodies: readonly string[],
  more: Partial<DraftRequest> = {},
  settings: JsonObject = {},
): Promise<Draft> {
  const clock = new TurnedClock()
  const pending = createScriptedAssistant({ latencyMs: 5, clock }).perform(toRequest(bodies, more, settings).request)
  clock.turn(5)
  const result = await pending
  if (result.kind !== 'done') throw new Error(`no draft: ${result.kind}`)
  const draft = toDraft(result.output)
  if (draft === null) throw new Error('the chart would refuse this draft')
  return draft
}

describe('what it answers', () => {
  test.each([
    ['bom dia', /olá/u],
    ['qual o horário de funcionamento?', /segunda a sexta/u],
    ['cadê meu pedido?', /número do pedido/u],
    ['meu pedido é o 45120, onde está?', /pedido 45120/u],
    ['não sei bem o que fazer com isso', /contar um pouco mais/u],
    ['good morning', /hello/u],
    ['what are your opening hours?', /Monday to Friday/u],
    ['Where is my order?', /number of the order/u],
    ['my order is #45120', /order 45120/u],
    ['the thing makes a noise', /tell me a little more/u],
    ['hola', /¡hola!/u],
    ['¿a qué hora abren?', /lunes a viernes/u],
    ['¿dónde está mi pedido?', /número del pedido/u],
    ['mi pedido es el 45120', /pedido 45120/u],
    ['tengo una duda muy rara', /contarme un poco más/u],
  ])('"%s" in its own language, quoting it', async (body, expected) => {
    const draft = await draftFor([body])
    expect(draft.reply).toMatch(expected)
    expect(draft.reply).toContain(body)
    expect(draft.intent).toBe('continue')
  })

  test.each([
    'I need to talk to a real person about this',
    'quero falar com uma pessoa sobre a cobrança',
    'quiero hablar con alguien',
  ])('"%s" asks for a person', async (body) => {
    expect((await draftFor([body])).intent).toBe('handoff')
  })

  test.each(["I don't want to talk to a person", 'não quero falar com atendente', 'no quiero hablar con un agente'])(
    '"%s" does not',
    async (body) => {
      expect((await draftFor([body])).intent).toBe('continue')
    },
  )

  test('all messages of a turn are answered together', async () => {
    const { reply } = await draftFor(['hi', 'my order has not come', 'it is 45120'])
    expect(reply).toContain('“hi”, “my order has not come”, “it is 45120”')
    expect(reply).toContain('order 45120')
  })

  test('a number alone answers the question for it, in the language of the conversation', async () => {
    expect((await draftFor(['45120'], { turn: 2, language: 'pt' })).reply).toContain('anotei o pedido 45120')
  })

  test('a picture without words is acknowledged', async () => {
    const messages = [
      {
        messageId: 'm',
        body: '',
        media: [{ url: 'https://example.org/a.jpg', contentType: 'image/jpeg' }],
        notes: ['[image]'],
        voices: [],
      },
    ]
    expect((await draftFor([], { messages })).reply).toBe('I have received the file. How can I help you with it?')
  })

  test('what was said in a voice message is answered like what was written', async () => {
    const media = [{ url: 'https://example.org/a.ogg', contentType: 'audio/ogg' }]
    const voices = [{ media: 0, kind: 'heard', text: 'where is my order 45120?' }] as const
    const messages = [{ messageId: 'm', body: '', media, notes: [], voices }]
    expect((await draftFor([], { messages })).reply).toContain('order 45120')
  })

  test('after a failed conversation it begins with an apology', async () => {
    expect((await draftFor(['hello'], { recovery: { reason: 'it broke' } })).reply).toMatch(
      /^Sorry for the interruption/u,
    )
    expect((await draftFor(['hello'], { recovery: { reason: 'it broke' }, turn: 2 })).reply).not.toMatch(/Sorry/u)
  })

  test('opening hours are the tenant’s where it has set them', async () => {
    const { reply } = await draftFor(['when do you open?'], {}, { openingHours: 'every day, 8 to 20' })
    expect(reply).toContain('every day, 8 to 20')
  })

  test('whatever it is asked, the chart accepts the draft, and the same question gets the same answer', async () => {
    for (const body of [
      '',
      '   ',
      '\u0000',
      '\uD800',
      '👍',
      'x'.repeat(4_096),
      '“quoted”\n\nlines',
      '…',
      '1'.repeat(40),
    ]) {
      const draft = await draftFor([body])
      expect(draft.reply.length).toBeLessThan(400)
      expect(draft.reply.isWellFormed()).toBe(true)
      expect(await draftFor([body])).toEqual(draft)
    }
  })
})

describe('how it works', () => {
  test('a draft takes its time by the clock it is given', async () => {
    const clock = new TurnedClock()
    const results: EffectResult[] = []
    const pending = createScriptedAssistant({ latencyMs: 800, clock }).perform(toRequest(['hello']).request)
    void pending.then((result) => results.push(result))
    clock.turn(799)
    await new Promise(setImmediate)
    expect(results).toEqual([])
    clock.turn(1)
    expect(await pending).toMatchObject({ kind: 'done', providerId: null })
    expect(clock.tasks.size).toBe(0)
  })

  test('an aborted draft ends at once and leaves nothing behind', async () => {
    const clock = new TurnedClock()
    const { request, abort } = toRequest(['hello'])
    const pending = createScriptedAssistant({ latencyMs: 800, clock }).perform(request)
    abort.abort()
    expect(await pending).toMatchObject({ kind: 'failed', error: { code: 'aborted' } })
    expect(clock.tasks.size).toBe(0)
  })

  test('a draft that was aborted before it began never begins', async () => {
    const clock = new TurnedClock()
    const { request, abort } = toRequest(['hello'])
    abort.abort()
    expect(await createScriptedAssistant({ latencyMs: 800, clock }).perform(request)).toMatchObject({ kind: 'failed' })
    expect(clock.tasks.size).toBe(0)
  })

  test('starting a draft twice cannot be seen from outside', () => {
    expect(createScriptedAssistant({ latencyMs: 0, clock: new TurnedClock() }).isVisible).toBe(false)
  })
})
