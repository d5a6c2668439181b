/** The fake endpoint itself, as others use it: a process of its own, led over HTTP. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

import type { Behaviour } from '../../support/fake-ai.ts'
import { until } from '../../support/service.ts'

type Started = { readonly baseUrl: string; readonly env: { readonly [name: string]: string } }

const program = join(import.meta.dirname, '../../support/fake-ai.ts')
const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
let fake: Started

beforeAll(async () => {
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  fake = JSON.parse(line.toString()) as Started
})
beforeEach(async () => control('DELETE', 'requests'))
afterAll(async () => {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
})

async function control<T>(method: string, name: string, body?: unknown): Promise<T> {
  const response = await fetch(new URL(`/fake/${name}`, fake.baseUrl), {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  expect(response.status).toBe(200)
  return (await response.json()) as T
}

async function ask(text: string, part: { key?: string; model?: string; signal?: AbortSignal } = {}): Promise<Response> {
  return fetch(`${fake.baseUrl}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${part.key ?? fake.env['AI_API_KEY']}` },
    body: JSON.stringify({
      model: part.model ?? fake.env['AI_MODEL'],
      messages: [
        { role: 'system', content: 'be good' },
        { role: 'user', content: text },
      ],
    }),
    ...(part.signal && { signal: part.signal }),
  })
}

async function contentOf(response: Response): Promise<string> {
  const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
  return choices[0]?.message.content ?? ''
}

describe('the fake endpoint', () => {
  test('answers what it is told, next things first, then by script, then what stands', async () => {
    const standing: Behaviour = { kind: 'content', content: 'standing' }
    await control('PUT', 'answer', standing)
    await control('PUT', 'script', [{ when: 'order', answer: { kind: 'content', content: 'by script' } }])
    await control('POST', 'next', [{ kind: 'content', content: 'next' }])
    expect(await contentOf(await ask('my order'))).toBe('next')
    expect(await contentOf(await ask('my order'))).toBe('by script')
    expect(await contentOf(await ask('hello'))).toBe('standing')
    const { items } = await control<{ items: object[] }>('GET', 'requests')
    expect(items).toMatchObject([
      { system: 'be good', userText: 'my order', state: 'answered' },
      { userText: 'my order', state: 'answered' },
      { userText: 'hello', state: 'answered' },
    ])
  })

  test('refuses a wrong key and an unknown model, and does not count them as asked', async () => {
    expect((await ask('x', { key: 'wrong' })).status).toBe(401)
    expect((await ask('x', { model: 'other' })).status).toBe(404)
    expect(await control('GET', 'requests')).toEqual({ items: [] })
  })

  test('sees a connection close', async () => {
    await control('POST', 'next', [{ kind: 'never' }])
    const abort = new AbortController()
    const asking = ask('hello', { signal: abort.signal }).catch(() => null)
    const stateOf = async () => (await control<{ items: { state: string }[] }>('GET', 'requests')).items[0]?.state
    await until(async () => (await stateOf()) === 'open', 5_000)
    abort.abort()
    await asking
    await until(async () => (await stateOf()) === 'closed', 5_000)
  })
})
