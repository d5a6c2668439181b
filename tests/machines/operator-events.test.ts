/** What is read of a command from outside, to the last character that it may have. */
import { describe, expect, test } from 'vitest'

import { readOperatorEvent } from '../../src/machines/conversation/operator-events.ts'
import type { JsonObject } from '../../src/machines/json.ts'

const contentSid = `HX${'0123456789abcdefABCDEF'.padEnd(32, '0')}`
const reply = { type: 'operator.replied', operatorId: 'ana', body: '', mediaUrls: [], contentSid: null }

function readReply(more: JsonObject) {
  return readOperatorEvent({ type: 'operator.replied', operatorId: 'ana', ...more })
}

function texts(count: number, length = 1): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, place) => [String(place), 'x'.repeat(length)]))
}

describe('a command is read', () => {
  test.each<JsonObject>([
    { type: 'operator.assigned', operatorId: 'ana' },
    { type: 'operator.released', operatorId: 'ana' },
    { type: 'operator.extended', operatorId: 'ana' },
    { type: 'operator.transferred', operatorId: 'ana', to: 'bia' },
    { type: 'operator.escalated', operatorId: 'ana', reason: 'a refund' },
    { type: 'operator.closed', operatorId: 'ana', as: 'agent', reason: 'done' },
    { type: 'operator.closed', operatorId: 'ana', as: 'support', reason: 'done' },
    { type: 'handoff.requested', operatorId: 'ana', reason: 'a complaint' },
    { ...reply, body: 'Ana here' },
    { ...reply, mediaUrls: ['https://example.com/a.png'] },
    { ...reply, contentSid },
    { ...reply, contentSid, contentVariables: '{"1":"Ana"}' },
  ])('whole: %j', (command) => {
    expect(readOperatorEvent(command)).toEqual(command)
  })

  test('without a reason it has an empty one, and a call for a person needs no operator', () => {
    expect(readOperatorEvent({ type: 'operator.escalated', operatorId: 'ana' })).toMatchObject({ reason: '' })
    expect(readOperatorEvent({ type: 'operator.closed', operatorId: 'ana', as: 'agent' })).toMatchObject({ reason: '' })
    expect(readOperatorEvent({ type: 'handoff.requested', operatorId: null })).toMatchObject({ operatorId: null })
  })

  test('with nothing but a text it has no media and no template', () => {
    expect(readReply({ body: ' hi ' })).toEqual({ ...reply, body: ' hi ' })
  })

  test('with the variables of its template as an object or as the JSON text of one', () => {
    const read = { ...reply, contentSid, contentVariables: '{"1":"Ana","name":""}' }
    expect(readReply({ contentSid, contentVariables: { 1: 'Ana', name: '' } })).toEqual(read)
    expect(readReply({ contentSid, contentVariables: '{"1": "Ana", "name": ""}' })).toEqual(read)
    expect(readReply({ contentSid, contentVariables: null })).toEqual({ ...reply, contentSid })
  })
})

describe('an operator', () => {
  test.each(['a', '7', 'Ana.Maria_2-x@example.com', 'x'.repeat(128)])('may be called %s', (operatorId) => {
    expect(readOperatorEvent({ type: 'operator.assigned', operatorId })).toEqual({
      type: 'operator.assigned',
      operatorId,
    })
  })

  test.each(['', '.ana', '-ana', '@ana', '_ana', ' ana', 'ana!', 'ana\n', 'aná', 'x'.repeat(129), 7, null])(
    'may not be called %j',
    (operatorId) => {
      const sentence = 'operatorId: up to 128 letters, digits, dots, hyphens, underscores or @'
      expect(readOperatorEvent({ type: 'operator.assigned', operatorId })).toBe(sentence)
      expect(readOperatorEvent({ type: 'operator.transferred', operatorId: 'ana', to: operatorId })).toBe(
        'to: the id of another operator',
      )
      if (operatorId === null) return
      expect(readOperatorEvent({ type: 'handoff.requested', operatorId })).toBe('operatorId: not the id of an operator')
    },
  )
})

describe('the limits of a command', () => {
  test.each<[string, JsonObject, JsonObject, string]>([
    ['text', { body: 'x'.repeat(4_096) }, { body: 'x'.repeat(4_097) }, 'body: up to 4096 characters'],
    [
      'attachments',
      { mediaUrls: Array(10).fill('https://a.bc/d') },
      { mediaUrls: Array(11).fill('https://a.bc/d') },
      'mediaUrls: up to 10 public https addresses',
    ],
    [
      'an attachment’s address',
      { mediaUrls: [`https://a.bc/${'x'.repeat(1_987)}`] },
      { mediaUrls: [`https://a.bc/${'x'.repeat(1_988)}`] },
      'mediaUrls: up to 10 public https addresses',
    ],
    [
      'variables',
      { contentSid, contentVariables: texts(100) },
      { contentSid, contentVariables: texts(101) },
      'contentVariables: an object of up to 100 texts',
    ],
    [
      'a variable',
      { contentSid, contentVariables: texts(1, 1_024) },
      { contentSid, contentVariables: texts(1, 1_025) },
      'contentVariables: an object of up to 100 texts',
    ],
    [
      'the name of a variable',
      { contentSid, contentVariables: { ['n'.repeat(64)]: 'x' } },
      { contentSid, contentVariables: { ['n'.repeat(65)]: 'x' } },
      'contentVariables: an object of up to 100 texts',
    ],
  ])('of %s: what is at it is taken, what is beyond is not', (_what, at, beyond, sentence) => {
    expect(readReply(at)).toMatchObject({ type: 'operator.replied' })
    expect(readReply(beyond)).toBe(sentence)
  })

  test.each(['handoff.requested', 'operator.escalated', 'operator.closed'])('of the reason of %s', (type) => {
    const command = { type, operatorId: 'ana', as: 'agent' }
    expect(readOperatorEvent({ ...command, reason: 'x'.repeat(500) })).toMatchObject({ type })
    for (const reason of ['x'.repeat(501), 7, null, ['why']]) {
      expect(readOperatorEvent({ ...command, reason })).toBe('reason: up to 500 characters')
    }
  })

  test('an unknown type is told by its beginning', () => {
    expect(readOperatorEvent({ type: 'x'.repeat(200), operatorId: 'ana' })).toBe(
      `type: '${'x'.repeat(64)}' is not a command of this machine`,
    )
    expect(readOperatorEvent({ type: 7, operatorId: 'ana' })).toBe("type: '' is not a command of this machine")
  })
})

describe('the address of an attachment', () => {
  test.each([
    'https://example.com/a.png',
    'https://cdn.shop-1.example.com.br/a.png?size=2#top',
    'HTTPS://EXAMPLE.COM/A.PNG',
    'https://example.com:443/a.png',
    'https://a.bc',
    'https://my_files.example.com/a',
    'https://xn--e1awd7f.com/a',
    'https://test.example.com/a',
    'https://cdn.test.example.com/a',
    'https://home.example.com/a',
    'https://localhost.example.com/a',
    'https://mylocal.nonlocal/a',
    `https://${'a'.repeat(63)}.com/a`,
  ])('may be %s', (url) => {
    expect(readReply({ mediaUrls: [url] })).toMatchObject({ mediaUrls: [url] })
  })

  test.each<[string, JsonObject[string]]>([
    ['of http', 'http://example.com/a'],
    ['no address', 'a.png'],
    ['empty', ''],
    ['with a user', 'https://ana@example.com/a'],
    ['with a password', 'https://:secret@example.com/a'],
    ['with a port', 'https://example.com:8443/a'],
    ['with a space', 'https://example.com/a b'],
    ['with a line’s end', 'https://example.com/a\n'],
    ['with a backslash', 'https:\\\\example.com\\a'],
    ['of this machine', 'https://localhost/a'],
    ['of this machine by a longer name', 'https://app.localhost/a'],
    ['of this machine by number', 'https://127.0.0.1/a'],
    ['of this machine by another number', 'https://0x7f.1/a'],
    ['of this machine by its newest number', 'https://[::1]/a'],
    ['of a neighbour', 'https://printer.local/a'],
    ['of a company’s own net', 'https://wiki.internal/a'],
    ['of a home', 'https://nas.home/a'],
    ['of a net of its own', 'https://nas.lan/a'],
    ['of nowhere', 'https://1.0.0.127.in-addr.arpa/a'],
    ['of a test', 'https://example.test/a'],
    ['invalid by name', 'https://example.invalid/a'],
    ['hidden', 'https://example.onion/a'],
    ['without a dot', 'https://intranet/a'],
    ['with an ending that is too short', 'https://example.c/a'],
    ['with an ending that is a number', 'https://example.1a/a'],
    ['that ends with a dot', 'https://example.com./a'],
    ['with a label that is too long', `https://${'a'.repeat(64)}.com/a`],
    ['with an ending that is too long', `https://a.${'c'.repeat(64)}/a`],
    ['with a host that is too long', `https://${'a.'.repeat(126)}com/a`],
    ['a number', 7],
    ['null', null],
    ['a list', ['https://example.com/a']],
  ])('is refused when it is %s', (_what, url) => {
    expect(readReply({ mediaUrls: ['https://example.com/a', url] as never })).toBe(
      'mediaUrls: up to 10 public https addresses',
    )
  })

  test('stands in a list', () => {
    for (const mediaUrls of ['a.b', { length: 1 }, null, 7]) {
      expect(readReply({ body: 'x', mediaUrls })).toBe('mediaUrls: up to 10 public https addresses')
    }
  })

  test('has a host of up to 253 characters', () => {
    expect(readReply({ mediaUrls: [`https://${'a.'.repeat(125)}com/a`] })).toMatchObject({ type: 'operator.replied' })
  })
})

describe('a template', () => {
  test.each([
    [`${contentSid}0`],
    [`x${contentSid}`],
    [contentSid.slice(0, -1)],
    [contentSid.toLowerCase()],
    [7],
    [[contentSid]],
  ])('is not %j', (sid) => {
    expect(readReply({ contentSid: sid })).toBe('contentSid: HX and 32 hexadecimal digits')
  })

  test('goes alone', () => {
    const sentence = 'contentSid: a template goes without body and media'
    expect(readReply({ contentSid, body: 'x' })).toBe(sentence)
    expect(readReply({ contentSid, mediaUrls: ['https://example.com/a'] })).toBe(sentence)
  })

  test.each<[JsonObject[string]]>([
    [7],
    ['nonsense'],
    ['7'],
    ['null'],
    ['[]'],
    [['x']],
    [{ 1: 7 }],
    [{ 1: null }],
    [{ 1: 'Ana', 2: 7 }],
    ['{"1": 7}'],
  ])('has no variables like %j', (contentVariables) => {
    expect(readReply({ contentSid, contentVariables })).toBe('contentVariables: an object of up to 100 texts')
  })

  test('alone has variables', () => {
    expect(readReply({ body: 'x', contentVariables: { 1: 'Ana' } })).toBe('contentVariables: only with contentSid')
  })
})

test.each<[JsonObject]>([[{}], [{ body: ' \n ' }], [{ body: '', mediaUrls: [] }]])(
  'a reply of %j says nothing',
  (more) => {
    expect(readReply(more)).toBe('body: a reply says something')
  },
)

test.each([7, null, ['hi']])('a text that is %j is none', (body) => {
  expect(readReply({ body })).toBe('body: up to 4096 characters')
})
