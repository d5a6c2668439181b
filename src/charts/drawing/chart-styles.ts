/**
 * The chart's style sheet, for the page and for a file that stands alone: plain rules without variables,
 * since some programs that show SVG know none. Every rule begins with `.chart`.
 */
import { darkHeat, darkPalette, lightHeat, lightPalette } from './palettes.ts'
import type { Palette } from './palettes.ts'

export type Theme = 'light' | 'dark' | 'auto'

/** The widths that the layout measured are those of all of these. */
export const fontFamily = "Arimo, 'Liberation Sans', Arial, Helvetica, sans-serif"

const kinds = ['event', 'after', 'done', 'error', 'always', 'snapshot'] as const
/** Each has the colours of one of three: what is good, what is wrong, what wants a look. */
const tones = {
  added: ['added', 'covered', 'would'],
  removed: ['removed', 'uncovered', 'was'],
  changed: ['changed', 'excused', 'doubt'],
} as const

export function toChartStyles(theme: Theme): string {
  if (theme !== 'auto') return `${shapes}${toColors(theme === 'dark' ? darkPalette : lightPalette)}`
  const dark = `@media (prefers-color-scheme:dark){${toColors(darkPalette)}}`
  return `${shapes}${toColors(lightPalette)}@media screen{${dark}}${highContrast}`
}

const shapes = [
  `.chart text{font-family:${fontFamily};font-size:11px;white-space:pre;text-rendering:geometricPrecision}`,
  '.chart .title{font-size:12.5px;font-weight:700}',
  '.chart .heading{font-size:16px;font-weight:700}',
  '.chart .bold,.chart .caption{font-weight:700}',
  '.chart .sign{fill:none;stroke-width:1.6;stroke-linecap:round;stroke-linejoin:round}',
  '.chart .way{fill:none;stroke-width:1.6}',
  '.chart .casing{fill:none;stroke-width:6}',
  '.chart .hit{fill:none;stroke:transparent;stroke-width:14}',
  '.chart .way.after,.chart .way.always{stroke-dasharray:6 4}',
  '.chart .way.always{stroke-dasharray:2 3}',
  '.chart .frame{stroke-width:1.5}',
  '.chart .container .frame{stroke-width:1.2}',
  '.chart .region .frame{stroke-dasharray:7 5}',
  '.chart .inner{fill:none;stroke-width:1.2}',
  '.chart .rule{stroke-width:1;opacity:.45}',
  '.chart .halo{paint-order:stroke;stroke-width:4;stroke-linejoin:round}',
  '.chart .pill{stroke-width:1}',
  '.chart .removed .way,.chart .removed .frame{stroke-dasharray:6 4}',
  '.chart .removed text{text-decoration:line-through}',
  '.chart .uncovered .way,.chart .uncovered .frame,.chart .was .way{stroke-dasharray:3 3}',
  '.chart .uncovered text{text-decoration:underline}',
  '.chart .allowed .frame,.chart .allowed .pill{stroke-dasharray:2 2}',
  '.chart .toned .way{stroke-width:2.6}',
  '.chart .badge-text{font-weight:700}',
  '.chart .chip text{font-size:9.5px}',
  ...[2, 3, 4, 5, 6, 7, 8].map((heat) => `.chart .arrow.heat-${heat} .way{stroke-width:${1.2 + heat * 0.5}}`),
].join('')

function toColors(color: Palette): string {
  const rules = [
    `.chart .paper{fill:${color.paper}}`,
    `.chart text{fill:${color.ink}}`,
    `.chart .row text,.chart .soft{fill:${color.soft}}`,
    `.chart .frame{fill:${color.box};stroke:${color.ink}}`,
    `.chart .container .frame{fill:${color.container};stroke:${color.line}}`,
    `.chart .inner{stroke:${color.ink}}`,
    `.chart .rule{stroke:${color.line}}`,
    `.chart .halo{stroke:${color.container}}`,
    `.chart .casing{stroke:${color.paper}}`,
    `.chart .way,.chart .row .sign,.chart .sign{stroke:${color.soft}}`,
    `.chart .head,.chart .dot{fill:${color.soft}}`,
    `.chart .pill{fill:${color.box};stroke:${color.line}}`,
    `.chart .note-back{fill:${color.changedBack};stroke:${color.changed}}`,
    ...kinds.flatMap((kind) => toKind(`.chart.kinds .${kind}`, color[kind])),
    ...(['added', 'removed', 'changed'] as const).flatMap((tone) =>
      toTone(tones[tone], color[tone], color[`${tone}Back`]),
    ),
    `.chart .badge .pill{fill:${color.removed};stroke:${color.removed}}`,
    ...(['would', 'changed', 'doubt'] as const).map((tone) => {
      const back = tone === 'would' ? color.added : color.changed
      return `.chart .badge.${tone} .pill{fill:${back};stroke:${back}}`
    }),
    `.chart .badge .badge-text{fill:${color.paper}}`,
    `.chart.heat .badge .pill{fill:${color.ink};stroke:${color.paper}}.chart.heat .row text{fill:${color.ink}}`,
    ...(color === darkPalette ? darkHeat : lightHeat).map(
      (back, place) => `.chart .heat-${place + 1} .frame,.chart .heat-${place + 1}.label .pill{fill:${back}}`,
    ),
  ]
  return rules.join('')
}

function toKind(selector: string, color: string): readonly string[] {
  return [
    `${selector}.way,${selector} .sign{stroke:${color}}`,
    `${selector}.head{fill:${color}}`,
    `${selector}.label .bold{fill:${color}}`,
  ]
}

function toTone(names: readonly string[], color: string, back: string): readonly string[] {
  const all = (...parts: readonly string[]): string =>
    names.flatMap((name) => parts.map((part) => `.chart .${name} ${part}`)).join()
  return [
    `${all('.way', '.sign')}{stroke:${color}}`,
    `${all('.head')}{fill:${color}}`,
    `${all('text')}{fill:${color}}`,
    `${all('.frame', '.pill')}{fill:${back};stroke:${color}}`,
    `${all('.inner')}{stroke:${color}}`,
  ]
}

/** The system's own colours where the reader asked for them. */
const highContrast =
  '@media (forced-colors:active){.chart text{fill:CanvasText}.chart .frame,.chart .pill,.chart .paper{fill:Canvas}.chart .frame,.chart .pill,.chart .way,.chart .sign,.chart .inner,.chart .rule{stroke:CanvasText}.chart .head,.chart .dot{fill:CanvasText}.chart .casing,.chart .halo{stroke:Canvas}}'
