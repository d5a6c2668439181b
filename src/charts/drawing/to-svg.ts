/** A picture as an SVG file that stands alone: its own style sheet for both themes, no address, no script. */
import type { Picture } from '../picture.ts'
import { ChartDrawing } from './chart-drawing.ts'
import { toChartStyles } from './chart-styles.ts'
import type { Theme } from './chart-styles.ts'
import { element } from './element.ts'
import type { Overlay } from './overlay.ts'
import { toMarkup } from './to-markup.ts'

export type SvgOptions = {
  /** `auto` follows the reader's system. */
  readonly theme: Theme
  readonly overlay: Overlay | null
  readonly describe: (id: string) => string
}

export function toSvg(picture: Picture, { theme, overlay, describe }: SvgOptions): string {
  const { width, height, title, note } = picture
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    role: 'graphics-document',
    'aria-label': `State chart ${title}`,
  }
  const drawing = ChartDrawing({ picture, overlay, describe, fixesWidths: true })
  const said = note === null ? null : element('text', { x: 24, y: height - 6 }, note)
  const file = element(
    'svg',
    attributes,
    element('title', null, title),
    element('style', null, toChartStyles(theme)),
    drawing,
    said,
  )
  return `${toMarkup(file)}\n`
}
