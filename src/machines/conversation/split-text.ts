/**
 * A long answer in pieces that the provider takes, in order: cut at the end of a paragraph or a sentence,
 * else between words, else between graphemes, so that no emoji or flag is torn apart.
 *
 * The limit is counted in UTF-16 units. Twilio's page says "characters": code points, perhaps, of which a text never
 * has more than units, so a piece is within the limit either way.
 */
export const pieceCharactersMax = 1_600

/** Below this share of a piece a better place to cut is not worth an almost empty piece. */
const fillMin = 0.5

/** White space that a combining mark does not sit on: with one it is a letter of its own kind. */
const space = String.raw`\s(?![\p{M}\u200d\ufe0f])`
const leadingSpace = new RegExp(`^(?:${space})+`, 'u')
const trailingSpace = /\s+$/u
const boundaries = [
  new RegExp(String.raw`\n[^\S\n]*(?=\n)(?:${space})+`, 'gu'),
  new RegExp(String.raw`[.!?…。！？]["'”’)\]]*(?:${space})+`, 'gu'),
  new RegExp(`(?:${space})+`, 'gu'),
]

/** Enough text behind the limit to see where the grapheme at it ends. */
const graphemeCharactersMax = 64

const graphemes = new Intl.Segmenter()

/** Pieces are trimmed at their edges, and nothing else is lost; a text that is nothing but space has none. */
export function splitText(text: string, charactersMax = pieceCharactersMax): readonly string[] {
  const pieces: string[] = []
  let rest = trim(text)
  while (rest.length > charactersMax) {
    const end = findCut(rest, charactersMax)
    pieces.push(trim(rest.slice(0, end)))
    rest = trim(rest.slice(end))
  }
  return rest === '' ? pieces : [...pieces, rest]
}

function trim(text: string): string {
  return text.replace(leadingSpace, '').replace(trailingSpace, '')
}

function findCut(text: string, charactersMax: number): number {
  const head = text.slice(0, charactersMax + graphemeCharactersMax)
  for (const boundary of boundaries) {
    let cut = 0
    for (const match of head.matchAll(boundary)) {
      const end = match.index + match[0].trimEnd().length
      if (end <= charactersMax) cut = end
    }
    if (cut >= charactersMax * fillMin) return cut
  }
  return findGraphemeCut(text, charactersMax)
}

function findGraphemeCut(text: string, charactersMax: number): number {
  let cut = 0
  for (const { index, segment } of graphemes.segment(text.slice(0, charactersMax + graphemeCharactersMax))) {
    if (index + segment.length > charactersMax) break
    cut = index + segment.length
  }
  // A single grapheme longer than a piece (a tower of accents) is cut between code points.
  return cut === 0 ? charactersMax - (/[\uD800-\uDBFF]/.test(text[charactersMax - 1] ?? '') ? 1 : 0) : cut
}
