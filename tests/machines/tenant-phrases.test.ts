import { describe, expect, test } from 'vitest'

import { readIntent, vocabularyOf } from '../../src/machines/conversation/closing-words.ts'
import { readPhrases, toTenantVocabulary } from '../../src/machines/conversation/tenant-phrases.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import { PureConversation, at, whatsapp } from './pure-conversation.ts'

describe('the phrases of a tenant, as its settings hold them', () => {
  test('lists of phrases are read by the part that they play', () => {
    const phrases = {
      close: ['câmbio e desligo'],
      thanks: ['é nóis'],
      person: ['a chefia'],
      stop: ['sossega'],
      start: ['bora'],
    }
    expect(readPhrases({ phrases })).toEqual(phrases)
  })

  test.each<[string, JsonObject]>([
    ['no settings', {}],
    ['a text', { phrases: 'sair' }],
    ['null', { phrases: null }],
    ['a list', { phrases: ['sair'] }],
    ['no list', { phrases: { close: 'sair' } }],
    ['an empty list', { phrases: { close: [] } }],
    ['nothing but numbers', { phrases: { close: [1, null, true, {}, ['x']] } }],
    ['nothing but signs', { phrases: { close: ['', '   ', '👋', '?!', '---'] } }],
    ['a part that is grammar', { phrases: { negation: ['quero'], wish: ['x'], conversation: ['pedido'] } }],
    ['a part that is inherited', { phrases: { constructor: ['x'], toString: ['x'] } }],
  ])('%s is nothing', (_what, settings) => {
    expect(readPhrases(settings)).toBeNull()
  })

  test('a phrase has up to 60 characters, a list up to 40 phrases; the rest is left out', () => {
    const longest = 'a'.repeat(59) + 'b'
    expect(readPhrases({ phrases: { close: [longest, `${longest}c`] } })).toEqual({ close: [longest] })
    const many = Array.from({ length: 60 }, (_, number) => `palavra ${number}`)
    expect(readPhrases({ phrases: { thanks: [...many.slice(0, 5), '', ...many.slice(5)] } })).toEqual({
      thanks: many.slice(0, 40),
    })
  })
})

describe('the vocabulary of a tenant', () => {
  const phrases = {
    close: ['câmbio e desligo'],
    thanks: ['é nóis'],
    person: ['chefia'],
    stop: ['sossega'],
    filler: ['uai'],
  }

  test('its phrases stand wherever ours of the same part do', () => {
    const vocabulary = toTenantVocabulary('whatsapp', phrases)
    const read = (body: string) => readIntent(body, vocabulary)
    expect(read('CÂMBIO E DESLIGO!')).toBe('close')
    expect(read('quero câmbio e desligo, por favor')).toBe('close')
    expect(read('uai, é nóis, tchau')).toBe('thanks')
    expect(read('quero falar com a chefia')).toBe('handoff')
    expect(read('oi, sossega por favor')).toBe('stop')
    expect(read('obrigado')).toBe('thanks')
  })

  test('a negation, a question and a sentence that goes on decide nothing with them either', () => {
    const vocabulary = toTenantVocabulary('whatsapp', phrases)
    const bodies = Object.values(phrases)
      .flat()
      .filter((phrase) => phrase !== 'chefia')
      .flatMap((phrase) => [`não ${phrase}`, `${phrase}?`, `${phrase} mas e o meu pedido`, `no ${phrase}`])
    expect(bodies.filter((body) => readIntent(body, vocabulary) !== null)).toEqual([])
  })

  test('they are unknown to others', () => {
    for (const body of Object.values(phrases).flat()) expect(readIntent(body, vocabularyOf.whatsapp), body).toBeNull()
  })

  test('it keeps the rules of its scheme', () => {
    expect(readIntent('cancel', toTenantVocabulary('sms', phrases))).toBe('stop')
    expect(readIntent('cancel', toTenantVocabulary('whatsapp', phrases))).toBe('close')
  })

  test('equal phrases share one, built once; a thousand tenants do not mix', () => {
    const first = toTenantVocabulary('sms', { close: ['fim de jogo'] })
    toTenantVocabulary('sms', { close: ['fim de papo'] })
    expect(toTenantVocabulary('sms', { close: ['fim de jogo'] })).toBe(first)
    for (let tenant = 0; tenant < 1_000; tenant += 250) {
      const vocabulary = toTenantVocabulary('sms', { close: [`senha ${tenant}`] })
      expect(readIntent(`senha ${tenant}`, vocabulary)).toBe('close')
      expect(readIntent(`senha ${tenant + 250}`, vocabulary)).toBeNull()
    }
  })
})

describe('in a conversation', () => {
  const settings = {
    phrases: { close: ['câmbio e desligo'], thanks: ['é nóis'], person: ['chefia'], stop: ['sossega'] },
  }

  test.each([
    ['câmbio e desligo', 'USER_CLOSED'],
    ['é nóis!', 'USER_CLOSED'],
    ['sossega', 'USER_CLOSED'],
    ['quero falar com a chefia', 'HUMAN_HANDOFF.queued'],
  ] as const)('"%s" leads to %s, and without the settings it is a message like others', (body, state) => {
    const own = at('PROGRESS.waiting', settings)
    own.message(body)
    expect(own.state).toBe(state)
    const other = at('PROGRESS.waiting')
    other.message(body)
    expect(other.state).toBe('PROGRESS.collecting')
  })

  test('they are those of its opening: it carries them in its context', () => {
    const conversation = new PureConversation({ ...whatsapp, settings })
    expect(conversation.context.phrases).toEqual(settings.phrases)
  })

  test('"não câmbio e desligo" goes on', () => {
    const conversation = at('PROGRESS.waiting', settings)
    conversation.message('não, câmbio e desligo não')
    expect(conversation.state).toBe('PROGRESS.collecting')
  })
})
