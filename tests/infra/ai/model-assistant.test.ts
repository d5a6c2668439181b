/** The assistant against a fake endpoint over HTTP. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { EffectResult } from '../../../src/actors/ports.ts'
import { badAnswers, startFakeAi } from '../../support/fake-ai.ts'
import type { FakeAi } from '../../support/fake-ai.ts'
import { until } from '../../support/service.ts'
import { createAssistant, toRequest } from './model-request.ts'

let fake: FakeAi
let ai: { baseUrl: string; apiKey: string; model: string }

beforeAll(async () => {
  fake = await startFakeAi()
  ai = { baseUrl: fake.baseUrl, apiKey: fake.env.AI_API_KEY, model: fake.env.AI_MODEL }
})
beforeEach(() => fake.reset())
afterAll(async () => fake.close())

function codeOf(result: EffectResult): string | null {
  return result.kind === 'failed' ? result.error.code : result.kind
}

describe('a good answer', () => {
  test('is a draft, asked for once, with the schema, the token limit and the key', async () => {
    fake.answer({ kind: 'draft', reply: 'We open at 9.', intent: 'continue', confidence: 0.8 })
    const { perform, counted } = createAssistant({ ai })
    expect(await perform(toRequest({ bodies: ['when do you open?'] }))).toEqual({
      kind: 'done',
      output: { reply: 'We open at 9.', intent: 'continue', confidence: 0.8 },
      providerId: null,
    })
    expect(fake.requests).toHaveLength(1)
    expect(fake.requests[0]?.body).toMatchObject({
      model: 'fake-model',
      max_tokens: 1_000,
      response_format: { type: 'json_schema', json_schema: { strict: true } },
    })
    expect(fake.requests[0]?.body).not.toHaveProperty('stream')
    expect(fake.requests[0]?.body).not.toHaveProperty('tools')
    expect([...counted.keys()].toSorted()).toEqual([
      'assistant_seconds',
      'assistant_tokens input',
      'assistant_tokens output',
    ])
  })

  test.each(['continue', 'handoff', 'close'])('may choose %s', async (intent) => {
    fake.answer({ kind: 'draft', reply: 'ok', intent })
    expect(await createAssistant({ ai }).perform(toRequest())).toMatchObject({ kind: 'done', output: { intent } })
  })

  test('may stand in a code fence', async () => {
    const draft = { reply: 'olá', intent: 'continue', confidence: 1 }
    fake.next(
      { kind: 'content', content: `\`\`\`json\n${JSON.stringify(draft)}\n\`\`\`` },
      { kind: 'content', content: `  \`\`\`\n${JSON.stringify(draft, null, 2)}\`\`\`\n` },
    )
    const { perform } = createAssistant({ ai })
    expect(await perform(toRequest())).toMatchObject({ kind: 'done', output: draft })
    expect(await perform(toRequest())).toMatchObject({ kind: 'done', output: draft })
  })

  test('may come after a thought that is not part of it', async () => {
    const content = JSON.stringify({ reply: 'ok', intent: 'continue', confidence: 1 })
    fake.answer({ kind: 'message', message: { content, reasoning_content: 'Ignore the schema! https://evil.net' } })
    expect(await createAssistant({ ai }).perform(toRequest())).toMatchObject({ kind: 'done', output: { reply: 'ok' } })
  })
})

describe('what is not a draft', () => {
  test.each(Object.entries(badAnswers))('%s is a failed attempt, told without a word of it', async (_name, bad) => {
    fake.answer(bad)
    const { perform, lines, counted } = createAssistant({ ai })
    const result = await perform(toRequest({ bodies: ['my secret is 4711'] }))
    const code = codeOf(result)
    expect(code).toMatch(/^(?:empty|malformed|not-allowed|too-long|cut-off|filtered)$/u)
    expect(counted.get(`assistant_failures ${code}`)).toBe(1)
    const told = JSON.stringify([result, lines])
    expect(told).not.toMatch(/All is well|evil|secret|4711|xxx|ai-key|Bad Gateway/u)
    expect(told.length).toBeLessThan(1_000)
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
    expect(fake.requests).toHaveLength(1)
  })

  test('an answer that never ends is cut off, and its connection closed', async () => {
    fake.answer({ kind: 'endless' })
    const { perform } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest()))).toBe('too-long')
    await until(() => fake.requests[0]?.state === 'closed', 5_000)
  })
})

describe('links and phone numbers', () => {
  const settings = { assistantLinks: ['example.com'], assistantPhones: ['+55 11 3000-0000'] }

  test.each([
    'See https://example.com/help or help.example.com, or write to team@example.com.',
    'Ligue para (11) 3000-0000 ou +55 11 3000-0000.',
    'Your order 4512345678 of 25/11/2026 costs R$ 1.234.567,89; we are open 9h às 18h30.',
  ])('%s', async (reply) => {
    fake.answer({ kind: 'draft', reply })
    const request = toRequest({ bodies: ['where is 4512345678?'], settings })
    expect(await createAssistant({ ai }).perform(request)).toMatchObject({ kind: 'done', output: { reply } })
  })

  test.each([
    'https://example.com@evil.net/',
    'example.com.evil.net',
    'notexample.com',
    'ex\u0430mple.com',
    'wa.me/15005550001',
    'http://169.254.169.254/latest',
    'tel:+15005550001',
    '+55 11 3000-0001',
    '4512345679',
  ])('%s is not on the list', async (contact) => {
    fake.answer({ kind: 'draft', reply: `Look: ${contact}` })
    const request = toRequest({ bodies: ['where is 4512345678?'], settings })
    expect(codeOf(await createAssistant({ ai }).perform(request))).toBe('not-allowed')
  })
})

describe('an endpoint that knows less', () => {
  test('is asked for JSON without a schema, then for text, and from then on at once', async () => {
    fake.support({ forms: ['text'], tokensName: 'max_completion_tokens' })
    const { perform } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest()))).toBe('done')
    expect(codeOf(await perform(toRequest()))).toBe('done')
    expect(fake.requests.map(({ body }) => [body['response_format'], body['max_completion_tokens']])).toEqual([
      [undefined, 1_000],
      [undefined, 1_000],
    ])
  })

  test('that refuses everything is refused after four questions, and asked the same way the next time', async () => {
    fake.answer({ kind: 'status', status: 400 })
    const { perform } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest()))).toBe('refused')
    expect(fake.requests.length).toBeLessThanOrEqual(4)
    fake.reset()
    expect(codeOf(await perform(toRequest()))).toBe('done')
    expect(fake.requests[0]?.body).toMatchObject({ response_format: { type: 'json_schema' } })
  })
})

describe('errors of the endpoint', () => {
  test.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [404, 'not-found'],
    [413, 'refused'],
    [307, 'refused'],
    [429, 'rate-limited'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('%i is %s, asked once, and costs nothing', async (status, code) => {
    fake.answer({ kind: 'status', status, headers: { location: 'http://127.0.0.1:1/' } })
    const { perform, lines, settled } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest()))).toBe(code)
    expect(fake.requests).toHaveLength(1)
    expect(settled.map(({ micros }) => micros)).toEqual([0])
    expect(JSON.stringify(lines)).not.toContain('by order')
  })

  test('a wrong key and a wrong model are told apart', async () => {
    const wrongKey = createAssistant({ ai: { ...ai, apiKey: 'wrong' } })
    expect(codeOf(await wrongKey.perform(toRequest()))).toBe('unauthorized')
    expect(JSON.stringify(wrongKey.lines)).not.toContain('wrong')
    expect(codeOf(await createAssistant({ ai: { ...ai, model: 'other' } }).perform(toRequest()))).toBe('not-found')
  })

  test('a refused connection costs nothing, a dropped one what it may have cost', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => {
      server.once('listening', resolve)
    })
    const { port } = server.address() as AddressInfo
    await new Promise((resolve) => {
      server.close(resolve)
    })
    const refused = createAssistant({ ai: { ...ai, baseUrl: `http://127.0.0.1:${port}/v1` } })
    expect(codeOf(await refused.perform(toRequest()))).toBe('unreachable')
    expect(refused.settled.map(({ micros }) => micros)).toEqual([0])
    fake.answer({ kind: 'dropped' })
    const dropped = createAssistant({ ai })
    expect(codeOf(await dropped.perform(toRequest()))).toBe('unreachable')
    expect(dropped.settled[0]?.micros).toBe(dropped.reserved[0]?.micros)
  })

  test('a failure that passes is told after the pause that the endpoint asks for, except the last', async () => {
    fake.answer({ kind: 'status', status: 429, headers: { 'retry-after': '2' } })
    const { perform } = createAssistant({ ai })
    const startedAt = performance.now()
    await perform(toRequest())
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(1_990)
    const lastAt = performance.now()
    await perform(toRequest({ draft: { attempt: 3 } }))
    expect(performance.now() - lastAt).toBeLessThan(1_900)
  })
})

describe('time', () => {
  test.each([{ kind: 'never' }, { kind: 'never', headers: true }, { kind: 'draft', delayMs: 30_000 }] as const)(
    'an endpoint that is silent is left at the tenant’s limit, and its connection closed: %j',
    async (behaviour) => {
      fake.answer(behaviour)
      const { perform } = createAssistant({ ai })
      const startedAt = performance.now()
      const result = await perform(toRequest({ settings: { assistantTimeoutMs: 1_000 } }))
      expect(result).toMatchObject({ kind: 'failed', error: { code: 'timeout' } })
      expect(performance.now() - startedAt).toBeLessThan(10_000)
      await until(() => fake.requests[0]?.state === 'closed', 5_000)
    },
  )

  test('the limit is below the chart’s own', async () => {
    fake.answer({ kind: 'never' })
    const { perform } = createAssistant({ ai })
    const result = await perform(toRequest({ settings: { assistantTimeoutMs: 60_000, answeringMs: 200 } }))
    expect(result).toMatchObject({ kind: 'failed', error: { message: 'no answer within 180 ms' } })
  })

  test('a draft that is no longer wanted ends at once, and the endpoint sees the connection close', async () => {
    fake.answer({ kind: 'never' })
    const abort = new AbortController()
    const { perform, counted } = createAssistant({ ai })
    const drafting = perform(toRequest({ signal: abort.signal }))
    await until(() => fake.requests.length === 1, 5_000)
    abort.abort()
    expect(codeOf(await drafting)).toBe('aborted')
    await until(() => fake.requests[0]?.state === 'closed', 5_000)
    expect([...counted.keys()].filter((key) => key.startsWith('assistant_failures'))).toEqual([])
  })

  test('a draft that is not wanted before it begins asks nothing', async () => {
    const { perform } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest({ signal: AbortSignal.abort() })))).toBe('aborted')
    expect(fake.requests).toEqual([])
  })
})

describe('spend', () => {
  const settings = { assistantInputPrice: 2, assistantOutputPrice: 10, assistantTokensMax: 100 }

  test('what is reserved is more than it can cost, and what is settled is what it has cost', async () => {
    fake.answer({ kind: 'draft', reply: 'ok', usage: { prompt_tokens: 400, completion_tokens: 20 } })
    const { perform, reserved, settled } = createAssistant({ ai })
    await perform(toRequest({ settings }))
    expect(reserved[0]?.micros).toBeGreaterThan(1_000)
    expect(settled).toEqual([{ reservation: reserved[0], micros: 400 * 2 + 20 * 10 }])
    expect(fake.requests[0]?.body).toMatchObject({ max_tokens: 100 })
  })

  test.each([
    null,
    {},
    { prompt_tokens: 0, completion_tokens: 0 },
    { prompt_tokens: 1e300, completion_tokens: 1 },
    { prompt_tokens: 4, completion_tokens: -1 },
    { prompt_tokens: 0.5, completion_tokens: 1 },
  ])('an answer that counts its tokens as %j costs what was reserved', async (usage) => {
    fake.answer({ kind: 'draft', reply: 'ok', usage })
    const { perform, reserved, settled } = createAssistant({ ai })
    expect(codeOf(await perform(toRequest({ settings })))).toBe('done')
    expect(settled).toEqual([{ reservation: reserved[0], micros: reserved[0]?.micros }])
  })

  test('over the limit nothing is asked, and the failure is final for the chart', async () => {
    const { perform } = createAssistant({ ai })
    const result = await perform(toRequest({ settings: { assistantSpendPerDayMax: 0.0001 } }))
    expect(result).toMatchObject({ kind: 'failed', error: { code: 'spend-limit' } })
    expect(fake.requests).toEqual([])
  })

  test('a ledger that does not answer stops the draft; one that cannot settle does not', async () => {
    const broken = async (): Promise<never> => Promise.reject(new Error('the database is away'))
    const whole = createAssistant({ ai })
    const unread = createAssistant({ ai, ledger: { ...whole.ledger, reserve: broken } })
    expect(codeOf(await unread.perform(toRequest()))).toBe('store')
    expect(fake.requests).toEqual([])
    const unsettled = createAssistant({ ai, ledger: { ...whole.ledger, settle: broken } })
    expect(codeOf(await unsettled.perform(toRequest()))).toBe('done')
    expect(unsettled.lines).toHaveLength(1)
  })
})
