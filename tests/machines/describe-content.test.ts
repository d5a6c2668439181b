/** A message in words, part by part, as an assistant reads it. */
import { describe, expect, test } from 'vitest'

import { contentOf, toMediaPart } from '../../src/machines/content.ts'
import type { ContentPart } from '../../src/machines/content.ts'
import { describeMessage, describeParts, describeVoice } from '../../src/machines/conversation/describe-content.ts'

const pdf = { url: 'https://example.org/a', contentType: 'application/pdf' }
const place = { kind: 'location', latitude: -23.5, longitude: -46.6, label: null, address: null } as const
const post = {
  kind: 'referral',
  sourceType: 'post',
  sourceId: null,
  sourceUrl: null,
  headline: 'Big sale',
  text: 'All shoes',
  clickId: null,
} as const

function told(...content: readonly ContentPart[]): readonly string[] {
  return describeParts({ body: 'hello', media: [pdf], content })
}

describe('a part', () => {
  test.each<[ContentPart, string]>([
    [{ kind: 'image', media: 0 }, '[image]'],
    [{ kind: 'sticker', media: 0 }, '[sticker]'],
    [{ kind: 'video', media: 0 }, '[video]'],
    [{ kind: 'document', media: 0, fileName: 'bill.pdf' }, '[document: bill.pdf]'],
    [{ kind: 'document', media: 0, fileName: null }, '[document: application/pdf]'],
    [{ kind: 'document', media: 7, fileName: null }, '[document: of an unknown kind]'],
    [{ kind: 'contact', media: 0 }, '[contact card]'],
    [place, '[location: -23.5, -46.6]'],
    [{ ...place, label: 'the shop', address: 'Rua 1' }, '[location: -23.5, -46.6, the shop, Rua 1]'],
    [{ kind: 'button', text: 'Yes', payload: null }, '[button: Yes]'],
    [{ kind: 'button', text: 'Yes', payload: 'yes-1' }, '[button: Yes (yes-1)]'],
    [{ kind: 'listReply', id: 'size-m', title: 'Medium' }, '[choice from a list: Medium (size-m)]'],
    [{ kind: 'listReply', id: 'size-m', title: null }, '[choice from a list: (size-m)]'],
    [{ kind: 'form', data: '{"size":"m"}' }, '[form: {"size":"m"}]'],
    [post, '[came by post: Big sale. All shoes]'],
    [{ ...post, sourceType: null, headline: null }, '[came by an advertisement: All shoes]'],
    [{ kind: 'quote', providerId: 'SM1' }, '[answers an earlier message]'],
    [{ kind: 'forwarded', isFrequent: true }, '[forwarded]'],
    [{ kind: 'unknown', messageType: 'poll' }, '[message of the kind poll, which cannot be shown here]'],
  ])('%j is told as %s', (part, words) => {
    expect(told(part)).toEqual([words])
  })

  test('that is the text, or heard, is not told', () => {
    expect(told({ kind: 'text', text: 'hello' }, { kind: 'audio', media: 0 }, { kind: 'video', media: 0 })).toEqual([
      '[video]',
    ])
  })

  test('cannot end its brackets or begin a line', () => {
    expect(told({ kind: 'button', text: ' a]\n\n[b [[c]] ', payload: null })).toEqual(['[button: a b c]'])
    expect(told({ kind: 'form', data: ' \n ' })).toEqual(['[form:]'])
  })

  test('has up to 512 characters, and no half of one', () => {
    expect(told({ kind: 'form', data: 'x'.repeat(600) })).toEqual([`[form: ${'x'.repeat(506)}]`])
    expect(told({ kind: 'form', data: `${'x'.repeat(505)}😀` })).toEqual([`[form: ${'x'.repeat(505)}\ufffd]`])
  })

  test('is left out with all behind it when they would be more than 2,048 characters', () => {
    const form = (length: number): ContentPart => ({ kind: 'form', data: 'x'.repeat(length) })
    // Each with its name and its brackets: 4 × 512 characters.
    expect(told(...[504, 504, 504, 504].map(form))).toHaveLength(4)
    expect(told(...[504, 504, 504, 505, 1].map(form))).toHaveLength(3)
  })
})

describe('a message', () => {
  test('is its text, its parts and what was said in it, each on a line of its own', () => {
    const content: readonly ContentPart[] = [
      { kind: 'text', text: ' hello ' },
      { kind: 'image', media: 0 },
      { kind: 'audio', media: 1 },
      { kind: 'audio', media: 2 },
    ]
    const message = { body: ' hello ', media: [pdf], content }
    expect(describeMessage(message, { 1: 'good morning' })).toBe(
      'hello\n[image]\n[voice message, in writing:] good morning\n[voice message that could not be read]',
    )
    expect(describeMessage(message)).toBe(
      'hello\n[image]\n[voice message that could not be read]\n[voice message that could not be read]',
    )
  })

  test('without a text begins with its parts', () => {
    expect(describeMessage({ body: ' ', media: [{ ...pdf, contentType: 'image/png' }] })).toBe('[image]')
  })

  test('that holds nothing is nothing', () => {
    expect(describeMessage({ body: ' ', media: [] })).toBe('')
  })

  test('whose voice nobody heard says so', () => {
    expect(describeVoice(null)).toBe('[voice message that could not be read]')
    expect(describeVoice('')).toBe('[voice message, in writing:] ')
  })
})

describe('the parts of a message that carries no list', () => {
  test.each([undefined, null])('(%s) are its text and its media', (content) => {
    expect(contentOf({ body: 'hello', media: [pdf, { ...pdf, contentType: 'image/png' }], content })).toEqual([
      { kind: 'text', text: 'hello' },
      { kind: 'document', media: 0, fileName: null },
      { kind: 'image', media: 1 },
    ])
    expect(contentOf({ body: '', media: [], content })).toEqual([])
  })

  test('are those of the list when there is one', () => {
    const content = [{ kind: 'forwarded', isFrequent: false }] as const
    expect(contentOf({ body: 'hello', media: [pdf], content })).toBe(content)
  })

  test.each([
    ['image/png', 'image'],
    ['IMAGE/PNG', 'image'],
    ['video/mp4', 'video'],
    ['audio/ogg; codecs=opus', 'audio'],
    ['text/vcard', 'contact'],
    ['text/x-vcard; charset=utf-8', 'contact'],
    ['text/directory', 'contact'],
    ['text/x-directory', 'contact'],
    ['text/vcardish', 'document'],
    ['rich-text/vcard', 'document'],
    ['text/plain', 'document'],
    ['imagery/png', 'document'],
    ['application/video', 'document'],
    ['', 'document'],
  ])('by the type %s are a %s', (contentType, kind) => {
    expect(toMediaPart({ ...pdf, contentType }, 3)).toMatchObject({ kind, media: 3 })
  })

  test('name a document’s file when it is known', () => {
    expect(toMediaPart(pdf, 0, 'bill.pdf')).toEqual({ kind: 'document', media: 0, fileName: 'bill.pdf' })
  })
})
