/** What a message asks for beside its words: by what it carries, and by what the provider took it for. */
import { describe, expect, test } from 'vitest'

import type { ContentPart } from '../../src/machines/content.ts'
import { readMessageIntent } from '../../src/machines/conversation/message-intent.ts'

const picture = { url: 'https://example.org/a.png', contentType: 'image/png' }

function read(body: string, ...content: readonly ContentPart[]) {
  return readMessageIntent({ body, media: [], content }, 'whatsapp')
}

describe('what the provider took for an opt-out or an opt-in', () => {
  test('is one, whatever the words are', () => {
    expect(readMessageIntent({ body: 'hello', media: [], consent: 'withdrawn' }, 'sms')).toBe('stop')
    expect(readMessageIntent({ body: 'STOP', media: [], consent: 'given' }, 'sms')).toBe('start')
  })
})

describe('beside a picture', () => {
  test('opting out and in count, all else is a caption', () => {
    const beside = (body: string) => readMessageIntent({ body, media: [picture] }, 'whatsapp')
    expect(['STOP', 'START', 'tchau', 'obrigado', 'atendente'].map(beside)).toEqual(['stop', 'start', null, null, null])
  })
})

describe('a goodbye', () => {
  test.each<ContentPart>([
    { kind: 'text', text: 'tchau' },
    { kind: 'quote', providerId: 'SM1' },
    {
      kind: 'referral',
      sourceType: null,
      sourceId: null,
      sourceUrl: null,
      headline: null,
      text: null,
      clickId: null,
    },
  ])('in the user’s own words counts: %j', (part) => {
    expect(read('tchau', part)).toBe('thanks')
  })

  test.each<ContentPart>([
    { kind: 'button', text: 'tchau', payload: null },
    { kind: 'listReply', id: 'bye', title: 'tchau' },
    { kind: 'forwarded', isFrequent: false },
    { kind: 'form', data: '{}' },
  ])('that was not written ends nothing: %j', (part) => {
    expect(read('tchau', part)).toBeNull()
    expect(read('tchau', { kind: 'text', text: 'tchau' }, part)).toBeNull()
    expect(read('sair', part)).toBeNull()
  })
})

test('a person is asked for by a button as well, and so is the end of all messages', () => {
  const button = { kind: 'button', text: 'x', payload: null } as const
  expect(read('atendente', button)).toBe('handoff')
  expect(read('STOP', button)).toBe('stop')
  expect(read('START', button)).toBe('start')
})

test('a tenant’s own phrases count where they are given', () => {
  const message = { body: 'câmbio e desligo', media: [] }
  expect(readMessageIntent(message, 'whatsapp', { close: ['câmbio e desligo'] })).toBe('close')
  expect(readMessageIntent(message, 'whatsapp')).toBeNull()
})
