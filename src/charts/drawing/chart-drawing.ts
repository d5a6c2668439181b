/**
 * A picture as SVG elements: the one component that draws charts, in the page and in every exported file.
 * It is a pure function of what it is given and uses no hooks, so that the server can write it down
 * without a browser.
 *
 * From back to front: containers, ways, what containers say, states, labels. A way may cross a
 * container's words, which have a halo; it never crosses a state or a label.
 */
import type { Arrow, Box, Entry, Picture, Sign, TextLine } from '../picture.ts'
import { element } from './element.ts'
import type { Drawn } from './element.ts'
import type { Mark, Overlay } from './overlay.ts'
import { signPaths, toHeadPath, toInitialPath, toShort, toWayPath } from './shapes.ts'

export type DrawingProps = {
  readonly picture: Picture
  readonly overlay: Overlay | null
  /** What an element is called by a screen reader, by the id of its state or transition. */
  readonly describe: (id: string) => string
  /** More classes for one state or transition: `selected`, `dimmed`. */
  readonly toClass?: (id: string) => string
  /** The one element that the Tab key reaches; null in a file, where nothing is reached. */
  readonly tabStop?: string | null
  /** Writes the measured widths down, so that another font cannot leave its pill. */
  readonly fixesWidths?: boolean
}

const lineHeight = 14
const pillPadding = { x: 7, y: 3 }
const signWidth = 15
const baseline = 10.6

export function ChartDrawing(props: DrawingProps): Drawn {
  const { picture, overlay } = props
  const containers = picture.boxes.filter(isContainer)
  const leaves = picture.boxes.filter((box) => !isContainer(box))
  return element(
    'g',
    { class: `chart${overlay === null ? ' kinds' : overlay.kind === 'heat' ? ' heat' : ''}` },
    element('rect', { class: 'paper', width: picture.width, height: picture.height }),
    element('text', { class: 'heading', x: 24, y: 36 }, picture.title),
    picture.rootRows.length === 0 ? null : element('text', { class: 'caption', x: 24, y: 57 }, 'From any state'),
    containers.map((box) => drawFrame(box, props)),
    picture.arrows.map((arrow) => drawWay(arrow, props)),
    picture.rootRows.map((row) => drawRow(row, props, false)),
    containers.flatMap((box) => [drawTitle(box, props), ...box.rows.map((row) => drawRow(row, props, true))]),
    leaves.flatMap((box) => [drawFrame(box, props), ...box.rows.map((row) => drawRow(row, props, false))]),
    picture.arrows.flatMap((arrow) => drawLabels(arrow, props)),
    picture.boxes.filter(({ isInitial }) => isInitial).map(drawInitial),
    overlay === null ? null : picture.boxes.map((box) => drawBadge(box, overlay.marks[box.stateId])),
    overlay === null ? null : toChips(picture).map((entry) => drawChip(entry, overlay.marks[entry.transitionId ?? ''])),
  )
}

function isContainer({ kind }: Box): boolean {
  return kind === 'compound' || kind === 'parallel' || kind === 'region'
}

/** What makes an element one that can be reached, named and found. */
function toAttributes(id: string, what: 'state' | 'transition', classes: string, props: DrawingProps) {
  const { overlay, describe, toClass, tabStop = null } = props
  const mark = overlay?.marks[id]
  const tone =
    overlay === null ? '' : ` ${mark?.tone ?? 'unchanged'}${isToned(mark) ? ' toned' : ''}${toHeatClass(mark)}`
  const note = mark?.note === null || mark?.note === undefined ? '' : `, ${mark.note}`
  return {
    class: `${classes}${tone}${toClass === undefined ? '' : ` ${toClass(id)}`}`.trim(),
    [what === 'state' ? 'data-state' : 'data-edge']: id,
    role: 'graphics-symbol',
    'aria-roledescription': what,
    'aria-label': `${describe(id)}${note}`,
    ...(tabStop === null ? {} : { tabindex: tabStop === id ? 0 : -1 }),
  }
}

function toHeatClass(mark: Mark | undefined): string {
  return mark?.heat === undefined ? '' : ` heat-${mark.heat}`
}

function isToned(mark: Mark | undefined): boolean {
  return mark !== undefined && mark.tone !== 'unchanged'
}

// ── States ───────────────────────────────────────────────────────────────────────────────────────

function drawFrame(box: Box, props: DrawingProps): Drawn {
  const { stateId, x, y, width, height, kind } = box
  const container = isContainer(box)
  const attributes = toAttributes(stateId, 'state', `box ${kind}${container ? ' container' : ''}`, props)
  if (kind === 'history') return drawHistory(box, attributes)
  return element(
    'g',
    { key: stateId, ...attributes },
    element('rect', { class: 'frame', x, y, width, height, rx: container ? 10 : 8 }),
    kind === 'final'
      ? element('rect', { class: 'inner', x: x + 3, y: y + 3, width: width - 6, height: height - 6, rx: 5.5 })
      : null,
    kind === 'folded' ? drawFoldMark(box) : null,
    container ? null : [...drawTitleText(box, props), box.rows.length === 0 ? null : drawRule(box)],
  )
}

function drawHistory({ stateId, x, y, width, history }: Box, attributes: object): Drawn {
  const middle = { x: x + width / 2, y: y + width / 2 }
  return element(
    'g',
    { key: stateId, ...attributes },
    element('circle', { class: 'frame', cx: middle.x, cy: middle.y, r: width / 2 - 1 }),
    element(
      'text',
      { class: 'title', x: middle.x, y: middle.y + 4.5, 'text-anchor': 'middle' },
      history === 'deep' ? 'H*' : 'H',
    ),
  )
}

/** A second edge below: there is more inside. */
function drawFoldMark({ x, y, width, height }: Box): Drawn {
  const path = `M${x + 8} ${y + height + 3.5}H${x + width - 8}`
  return element('path', { class: 'inner', d: path })
}

function drawRule({ x, y, width }: Box): Drawn {
  return element('line', { class: 'rule', x1: x + 1, y1: y + 28, x2: x + width - 1, y2: y + 28 })
}

/** A container's words stand above the ways that cross them. */
function drawTitle(box: Box, props: DrawingProps): Drawn {
  const mark = props.overlay?.marks[box.stateId]
  const tone = props.overlay === null ? '' : (mark?.tone ?? 'unchanged')
  return element(
    'g',
    { key: `title ${box.stateId}`, class: `container-title ${tone}`.trim() },
    drawTitleText(box, props),
  )
}

function drawTitleText(box: Box, { fixesWidths }: DrawingProps): readonly Drawn[] {
  const { x, y, title, titleSigns } = box
  const left = x + 12 + titleSigns.length * signWidth
  return [
    ...titleSigns.map((sign, place) => drawSign(sign, x + 12 + place * signWidth, y + 9)),
    element(
      'text',
      { class: `title${isContainer(box) ? ' halo' : ''}`, x: left, y: y + 19, ...fixed(fixesWidths, null) },
      title,
    ),
  ]
}

function drawInitial(box: Box): Drawn {
  const { dot, way, head } = toInitialPath(box)
  return element(
    'g',
    { key: `initial ${box.stateId}`, class: 'initial' },
    element('circle', { class: 'dot', cx: dot.x, cy: dot.y, r: 4 }),
    element('path', { class: 'way', d: way }),
    element('path', { class: 'head', d: head }),
  )
}

function drawBadge({ stateId, x, y, width, height }: Box, mark: Mark | undefined): Drawn | null {
  if (mark?.badge === null || mark?.badge === undefined) return null
  const wide = mark.badge.length * 6.2 + 16
  const left = x + width - wide + 10
  return element(
    'g',
    { key: `badge ${stateId}`, class: `badge ${mark.tone}`, 'data-badge': stateId },
    element('rect', { class: 'pill', x: left, y: y + height - 8, width: wide, height: 18, rx: 9 }),
    element('text', { class: 'badge-text', x: left + 8, y: y + height + 4.6 }, mark.badge),
  )
}

/** Where a transition's number stands: at the right end of its label or row. */
function toChips({ arrows, rootRows, boxes }: Picture): readonly Entry[] {
  const labels = arrows.flatMap((arrow) => {
    const width = Math.max(...arrow.labels.map((label) => label.width)) + pillPadding.x
    return arrow.labels.map((label) => ({ ...label, width }))
  })
  // A row has no pill that the number could stand on the edge of.
  const rows = [...rootRows, ...boxes.flatMap((box) => box.rows)].map((row) => ({ ...row, width: row.width + 9 }))
  return [...labels, ...rows]
}

function drawChip({ transitionId, x, y, width }: Entry, mark: Mark | undefined): Drawn | null {
  if (transitionId === null || mark?.badge === null || mark?.badge === undefined) return null
  const wide = mark.badge.length * 5.6 + 9
  const left = toShort(x + width - 6)
  return element(
    'g',
    { key: `chip ${transitionId}`, class: 'badge chip', 'data-badge': transitionId },
    element('rect', { class: 'pill', x: left, y: toShort(y - 9), width: wide, height: 14, rx: 7 }),
    element('text', { class: 'badge-text', x: toShort(left + 4.5), y: toShort(y + 1.4) }, mark.badge),
  )
}

// ── Transitions ──────────────────────────────────────────────────────────────────────────────────

function drawWay({ id, kind, points, labels }: Arrow, { overlay, toClass }: DrawingProps): Drawn {
  const marks = labels.map(({ transitionId }) => overlay?.marks[transitionId ?? '']?.tone ?? 'unchanged')
  const tone = toSharedTone(marks, overlay)
  const toned = tone !== '' && tone !== 'unchanged' ? ' toned' : ''
  const heat = overlay?.kind === 'heat' ? ` heat-${toWarmest(labels, overlay)}` : ''
  const classes = labels.map(({ transitionId }) => toClass?.(transitionId ?? '') ?? '')
  const shared = classes.includes('selected') ? 'selected' : classes.every((one) => one === 'dimmed') ? 'dimmed' : ''
  const way = toWayPath(points)
  return element(
    'g',
    { key: id, class: `arrow ${tone}${toned}${heat} ${shared}`.trim(), 'data-arrow': id },
    element('path', { class: 'casing', d: way }),
    element('path', { class: `way ${kind}`, d: way }),
    element('path', { class: `head ${kind}`, d: toHeadPath(points) }),
    element('path', { class: 'hit', d: way }),
  )
}

/** Of what shares an arrow: what it has in common; else, that something changed, or the gravest of it. */
function toSharedTone(marks: readonly Mark['tone'][], overlay: Overlay | null): string {
  const tones = new Set(marks)
  const [only] = tones
  if (overlay === null) return ''
  if (tones.size === 1) return only ?? ''
  if (overlay.kind === 'compare') return 'changed'
  return gravest.find((tone) => tones.has(tone)) ?? ''
}

const gravest = ['was', 'would', 'uncovered', 'doubt', 'excused', 'allowed', 'covered'] as const

function toWarmest(labels: Arrow['labels'], { marks }: Overlay): number {
  return Math.max(0, ...labels.map(({ transitionId }) => marks[transitionId ?? '']?.heat ?? 0))
}

function drawLabels({ labels }: Arrow, props: DrawingProps): readonly Drawn[] {
  const width = Math.max(...labels.map((label) => label.width)) + 2 * pillPadding.x
  return labels.map((label) => {
    const { transitionId, kind, x, y, height } = label
    const id = transitionId ?? ''
    const pill = { x: x - pillPadding.x, y: y - pillPadding.y, width, height: height + 2 * pillPadding.y, rx: 5 }
    return element(
      'g',
      { key: id, ...toAttributes(id, 'transition', `label ${kind}`, props) },
      element('rect', { class: 'pill', ...pill }),
      drawWords(label, props, ''),
    )
  })
}

function drawRow(row: Entry, props: DrawingProps, hasHalo: boolean): Drawn {
  const { transitionId, kind, x, y, width, height } = row
  const words = drawWords(row, props, hasHalo ? 'halo' : '')
  const key = `row ${transitionId ?? ''} ${x} ${y}`
  if (transitionId === null) return element('g', { key, class: 'row note' }, words)
  const area = { x: x - 4, y: y - 1, width: width + 8, height: height + 1, rx: 4 }
  const attributes = toAttributes(transitionId, 'transition', `row ${kind}`, props)
  return element('g', { key, ...attributes }, element('rect', { class: 'touch', fill: 'transparent', ...area }), words)
}

function drawWords({ x, y, signs, lines }: Entry, { fixesWidths }: DrawingProps, classes: string): readonly Drawn[] {
  const left = x + signs.length * signWidth
  return [
    ...signs.map((sign, place) => drawSign(sign, x + place * signWidth, y + 1.5)),
    ...lines.map((line, place) => {
      const at = { x: toShort(left), y: toShort(y + place * lineHeight + baseline) }
      const names = `${line.isBold ? 'bold' : ''} ${classes}`.trim()
      return element(
        'text',
        { ...(names === '' ? {} : { class: names }), ...at, ...fixed(fixesWidths, line) },
        line.text,
      )
    }),
  ]
}

function drawSign(sign: Sign, x: number, y: number): Drawn {
  return element('path', { class: 'sign', d: signPaths[sign], transform: `translate(${toShort(x)} ${toShort(y)})` })
}

function fixed(fixesWidths: boolean | undefined, line: TextLine | null): object {
  if (fixesWidths !== true || line === null || line.text === '') return {}
  return { textLength: line.width, lengthAdjust: 'spacingAndGlyphs' }
}
