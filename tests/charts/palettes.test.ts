import { expect, test } from 'vitest'

import { darkHeat, darkPalette, lightHeat, lightPalette } from '../../src/charts/drawing/palettes.ts'
import type { Palette } from '../../src/charts/drawing/palettes.ts'

const kinds = ['event', 'after', 'done', 'error', 'always', 'snapshot'] as const

test.each([
  ['light', lightPalette],
  ['dark', darkPalette],
])('every text of the %s theme has a contrast of 4.5 or more to what it stands on', (_name, palette) => {
  for (const [text, back] of listPairs(palette)) {
    const ratio = toContrast(palette[text], palette[back])
    expect(ratio, `${text} on ${back}`).toBeGreaterThanOrEqual(4.5)
  }
})

test.each([
  ['light', lightPalette],
  ['dark', darkPalette],
])('every line of the %s theme has a contrast of 3 or more', (_name, palette) => {
  for (const back of ['paper', 'container'] as const) {
    expect(toContrast(palette.line, palette[back])).toBeGreaterThanOrEqual(3)
  }
})

test.each([
  ['light', lightPalette, lightHeat],
  ['dark', darkPalette, darkHeat],
] as const)('every text of the %s theme is read on every heat', (_name, palette, heats) => {
  for (const heat of heats) expect(toContrast(palette.ink, heat), heat).toBeGreaterThanOrEqual(4.5)
})

function listPairs(palette: Palette): readonly (readonly [keyof Palette, keyof Palette])[] {
  const backs = ['paper', 'container', 'box'] as const
  const plain = [...kinds, 'ink', 'soft'] as const
  const tones = ['added', 'removed', 'changed'] as const
  return [
    ...plain.flatMap((text) => backs.map((back) => [text, back] as const)),
    ...tones.flatMap((tone) => [[tone, `${tone}Back`] as const, ...backs.map((back) => [tone, back] as const)]),
    ...(palette === lightPalette ? ([['paper', 'removed']] as const) : ([['paper', 'removed']] as const)),
  ]
}

/** As WCAG 2 defines it. */
function toContrast(a: string, b: string): number {
  const [light, dark] = [toLuminance(a), toLuminance(b)].toSorted((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

function toLuminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255
    return part <= 0.039_28 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  }) as [number, number, number]
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
