import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { pieceCharactersMax, splitText } from '../../src/machines/conversation/split-text.ts'

const withoutSpace = (text: string): string => text.replaceAll(/\s/gu, '')

describe('a long text', () => {
  test('within the limit is one piece, an empty one none', () => {
    expect(splitText('Hello there.')).toEqual(['Hello there.'])
    expect(splitText('x'.repeat(pieceCharactersMax))).toHaveLength(1)
    expect(splitText(' \n ')).toEqual([])
  })

  test('is cut between paragraphs, else sentences, else words', () => {
    const sentence = 'This is a sentence of the answer. '
    expect(splitText(`${'a '.repeat(15)}\n\n${'b '.repeat(15)}`, 50)).toEqual([
      'a '.repeat(15).trim(),
      'b '.repeat(15).trim(),
    ])
    expect(splitText(sentence.repeat(3), 50).every((piece) => piece === sentence.trim())).toBe(true)
    expect(splitText('word '.repeat(20), 50).every((piece) => /^word( word)*$/u.test(piece))).toBe(true)
  })

  test.each<[string, number, readonly string[]]>([
    // A limit that is just reached.
    ['aaaaa bbbb', 10, ['aaaaa bbbb']],
    ['aaaaa bbb. cc', 10, ['aaaaa bbb.', 'cc']],
    ['aaaa bbbb. cc', 10, ['aaaa bbbb.', 'cc']],
    ['aaaa bbbb ccc', 9, ['aaaa bbbb', 'ccc']],
    ['aaaaa\n\nbbbbb', 10, ['aaaaa', 'bbbbb']],
    // Half a piece is full enough; less is not.
    ['aaaa. bbbb ccc', 10, ['aaaa.', 'bbbb ccc']],
    ['aaa. bbbbb ccc', 10, ['aaa. bbbbb', 'ccc']],
    // The last place that fits is taken, and a paragraph before a sentence before a word.
    ['aa. bb. cc. dd. ee', 12, ['aa. bb. cc.', 'dd. ee']],
    ['aaa bbb.\n\nccc. ddd', 16, ['aaa bbb.', 'ccc. ddd']],
    ['aaa bbb\n \t\nccc. ddd', 14, ['aaa bbb', 'ccc. ddd']],
    ['aaa bbb\nccc. ddd', 14, ['aaa bbb\nccc.', 'ddd']],
    // A sentence ends behind its closing marks, in any script.
    ['he: "no." (so.) yes', 16, ['he: "no." (so.)', 'yes']],
    ['aa bb… cc dd ee', 10, ['aa bb…', 'cc dd ee']],
    ['ああ。 いい うう', 6, ['ああ。', 'いい うう']],
    ['aa bb? cc dd ee', 10, ['aa bb?', 'cc dd ee']],
    // A point inside a word ends nothing.
    ['aa 1.50 bb cc dd', 12, ['aa 1.50 bb', 'cc dd']],
    // A word that is too long is cut where the piece is full.
    ['aaaaaaaaaaaaaaaaaaaaa', 10, ['aaaaaaaaaa', 'aaaaaaaaaa', 'a']],
    ['aa bbbbbbbbbbbbb', 10, ['aa bbbbbbb', 'bbbbbb']],
    ['xx 👨‍👩‍👧‍👦👨‍👩‍👧‍👦', 16, ['xx 👨‍👩‍👧‍👦', '👨‍👩‍👧‍👦']],
    // One grapheme that is longer than a piece is cut between code points.
    ['👨‍👩‍👧‍👦', 4, ['👨‍', '👩‍', '👧‍', '👦']],
    [`a${'\u0301'.repeat(9)}`, 4, [`a${'\u0301'.repeat(3)}`, '\u0301'.repeat(4), '\u0301'.repeat(2)]],
    // Space with a mark on it is a letter; other space goes at the edges, and only there.
    [' \n aa  bb \n ', 20, ['aa  bb']],
    ['aaaa \u0301bb cc', 10, ['aaaa \u0301bb', 'cc']],
    [' \u0301aaaa', 20, [' \u0301aaaa']],
  ])('%j in pieces of %i is %j', (text, max, pieces) => {
    expect(splitText(text, max)).toEqual(pieces)
  })

  test('is never cut inside a grapheme', () => {
    const graphemes = ['👨‍👩‍👧‍👦', '🇧🇷', 'é', '👍🏽', 'ã']
    for (const grapheme of graphemes) {
      const pieces = splitText(grapheme.repeat(200), 97)
      expect(pieces.join('')).toBe(grapheme.repeat(200))
      for (const piece of pieces) expect(piece.length % grapheme.length, grapheme).toBe(0)
    }
  })

  test('loses nothing but space at the cuts, keeps its order and its limit, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 600 }), fc.integer({ min: 2, max: 80 }), (text, max) => {
        const pieces = splitText(text, max)
        expect(withoutSpace(pieces.join(''))).toBe(withoutSpace(text))
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(max)
          expect(piece.trim()).not.toBe('')
          expect(piece.isWellFormed() || !text.isWellFormed()).toBe(true)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('leaves every grapheme whole, whatever the text is made of', () => {
    const parts = fc.constantFrom(
      '👨‍👩‍👧‍👦',
      '🇧🇷',
      '🇵🇹',
      '👍🏽',
      'é',
      'e\u0301',
      'a\u0301\u0327',
      '🏴󠁧󠁢󠁥󠁮󠁧󠁿',
      '1️⃣',
      ' ',
      '\n',
      '\n\n',
      '. ',
      '! ',
      '"',
      ' \u0301',
      'नि',
      '각',
      'word',
      'x',
    )
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 400 }), fc.integer({ min: 40, max: 200 }), (chosen, max) => {
        const text = chosen.join('')
        const pieces = splitText(text, max)
        expect(pieces.flatMap(toGraphemes)).toEqual(toGraphemes(text))
        for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(max)
        // In order, and nothing between two pieces but space.
        let rest = text
        for (const piece of pieces) {
          const start = rest.indexOf(piece)
          expect(rest.slice(0, start).trim()).toBe('')
          rest = rest.slice(start + piece.length)
        }
        expect(rest.trim()).toBe('')
      }),
      { numRuns: 500 },
    )
  })
})

function toGraphemes(text: string): readonly string[] {
  return [...new Intl.Segmenter().segment(text)]
    .map(({ segment }) => segment.replaceAll(/\s(?!\p{M})/gu, ''))
    .filter((segment) => segment !== '')
}
