/**
 * A long answer in pieces that the provider takes, in order: cut at the end of a paragraph or a sentence,
 * else between words, else between graphemes, so that no emoji or flag is torn apart.
 */
export const pieceCharactersMax = 1_600

/** Below this share of a piece a better place to cut is not worth an almost empty piece. */
const fillMin = 0.5

/** Pieces are trimmed at their edges; a text that is nothing but space has none. */
export function splitText(text: string, charactersMax = pieceCharactersMax): readonly string[] {
  const pieces: string[] = []
  let rest = text.trim()
  while (rest.length > charactersMax) {
    const end = findCut(rest, charactersMax)
    pieces.push(rest.slice(0, end).trimEnd())
    rest = rest.slice(end).trimStart()
  }
  return rest === '' ? pieces : [...pieces, rest]
}

function findCut(text: string, charactersMax: number): number {
  const head = text.slice(0, charactersMax + 1)
  for (const boundary of [/\n\s*\n/gu, /[.!?…。！？]["'”’)\]]*\s/gu, /\s/gu]) {
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
  for (const { index, segment } of new Intl.Segmenter().segment(text.slice(0, charactersMax + graphemeCharactersMax))) {
    if (index + segment.length > charactersMax) break
    cut = index + segment.length
  }
  // A single grapheme longer than a piece (a tower of accents) is cut between code points.
  return cut === 0 ? charactersMax - (/[\uD800-\uDBFF]/.test(text[charactersMax - 1] ?? '') ? 1 : 0) : cut
}

/** Enough text behind the limit to see where the grapheme at it ends. */
const graphemeCharactersMax = 64
