/**
 * How wide a text is, known without a browser: the advance widths of Arial, which Arimo, Liberation Sans
 * and Helvetica share. So the server lays out what every browser then draws, without measuring there.
 */

/** In thousandths of the font size, for the characters from space to tilde. */
const regular = [
  278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
  556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
  260, 334, 584,
]
const bold = [
  278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
  556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
  722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
  556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
  280, 389, 584,
]
const firstCode = 32
/** What is not in the table is taken for wide: a pill that is too large is no fault. */
const unknownWidth = 1_000
const accented = 722

export function toTextWidth(text: string, fontSize: number, isBold: boolean): number {
  const widths = isBold ? bold : regular
  let sum = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    sum += widths[code - firstCode] ?? (code >= 0xa0 && code <= 0x24f ? accented : unknownWidth)
  }
  return Math.ceil((sum * fontSize) / 100) / 10
}
