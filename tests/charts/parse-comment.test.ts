/** Comments: a little Markdown, and whatever looks like markup stays text. */
import fc from 'fast-check'
import { expect, test } from 'vitest'

import { parseComment } from '../../web/chart/review/parse-comment.ts'
import type { Block, Span } from '../../web/chart/review/parse-comment.ts'

function spansOf(block: Block): readonly Span[] {
  if (block.kind === 'code') return [{ kind: 'text', text: block.text }]
  return block.kind === 'list' ? block.items.flat() : block.spans
}

const all = (text: string): readonly Span[] => parseComment(text).flatMap(spansOf)

test.each([
  ['plain', [{ kind: 'text', text: 'plain' }]],
  [
    '**b** and *i*',
    [
      { kind: 'bold', text: 'b' },
      { kind: 'text', text: ' and ' },
      { kind: 'italic', text: 'i' },
    ],
  ],
  ['`a < b`', [{ kind: 'code', text: 'a < b' }]],
  ['[name](https://example.org/a)', [{ kind: 'link', text: 'name', href: 'https://example.org/a' }]],
  [
    'see http://example.org',
    [
      { kind: 'text', text: 'see ' },
      { kind: 'link', text: 'http://example.org', href: 'http://example.org' },
    ],
  ],
  ['2 * 3 * 4', [{ kind: 'text', text: '2 * 3 * 4' }]],
])('%s', (text, spans) => {
  expect(all(text)).toEqual(spans)
})

test('blocks are paragraphs, lists, quotes and code', () => {
  expect(parseComment('one\n\n- a\n- b\n\n> q\n\n```ts\nconst a = 1\n```\nend').map(({ kind }) => kind)).toEqual([
    'paragraph',
    'list',
    'quote',
    'code',
    'paragraph',
  ])
})

const attacks = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](data:text/html,<script>1</script>)',
  '[x]( javascript:alert(1))',
  '<a href="javascript:alert(1)">x</a>',
  '**<b onmouseover=alert(1)>**',
  '`</code><script>`',
  '[a](https://ok.example" onclick="alert(1))',
  '&lt;script&gt;',
  'JaVaScRiPt:alert(1)',
]

test.each(attacks)('%s stays text, and no link leads anywhere but http', (attack) => {
  const spans = all(attack)
  expect(spans.map(({ text }) => text).join('')).toContain(attack.replaceAll(/[`*]/gu, '').slice(0, 3).replace('[', ''))
  for (const { href } of spans) expect(href ?? 'https://').toMatch(/^https?:\/\//u)
})

test('no text makes a link to anything but http or https, and no text is lost', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (text) => {
      const spans = all(text)
      for (const { kind, href } of spans) expect(kind === 'link').toBe(href !== undefined)
      for (const { href } of spans) expect(href ?? 'https://').toMatch(/^https?:\/\//u)
      const letters = (value: string): string => value.replaceAll(/[^\p{L}\p{N}]/gu, '')
      // Without any sign of a rule, nothing may be missing.
      const isPlain = !/[`*[\]>-]/u.test(text)
      const shown = isPlain ? spans.map(({ text: own }) => own).join('') : text
      expect(letters(shown)).toBe(letters(text))
    }),
    { numRuns: 2_000 },
  )
})
