/** The drawing that can be moved about in, reached by mouse, finger and keyboard. */
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { describeChart } from '../../src/charts/describe-chart.ts'
import { ChartDrawing } from '../../src/charts/drawing/chart-drawing.ts'
import type { Overlay } from '../../src/charts/drawing/overlay.ts'
import type { View } from '../../src/charts/library.ts'
import type { Viewport } from './address.ts'
import { findNeighbour, type Surroundings } from './surroundings.ts'
import { useViewport, type Moving } from './use-viewport.ts'
import { begin, bringIn, findArea, fit, fitWhole, reveal, toSpan, zoom } from './viewport.ts'

export type CanvasProps = {
  readonly view: View
  readonly overlay: Overlay | null
  readonly around: Surroundings
  readonly selected: string | null
  /** More classes for states and transitions, by id. */
  readonly toClass: (id: string) => string
  readonly viewport: Viewport | null
  readonly onViewport: (viewport: Viewport | null) => void
  readonly onSelect: (id: string | null) => void
  readonly choosing: Choosing | null
  readonly onOpen: (id: string) => void
  readonly onFold: (id: string) => void
  readonly attention: Attention
  /** Drawn over the picture, in its places. */
  readonly children?: ComponentChildren
}

/** One of these states is wanted: a click and Enter choose it and do nothing else, arrow keys go from one to the next. */
export type Choosing = {
  /** Where the keyboard begins. */
  readonly from: string
  readonly goals: ReadonlySet<string>
  /** Those that are seen first. */
  readonly likely: readonly string[]
  readonly choose: (id: string) => void
}

/** What should be brought into view, and focused; `count` goes up with every wish. */
export type Attention = { readonly count: number; readonly id: string | null; readonly takesFocus: boolean }

const zoomStep = 1.3
/** Preact's types know the roles of ARIA, not those of its module for graphics. */
const graphicsRole = { role: 'graphics-document' } as object

export function Canvas(props: CanvasProps) {
  const { view, overlay, selected, toClass, onViewport, attention } = props
  const { picture, chart } = view
  const moving = useViewport(onViewport)
  const describe = useMemo(() => describeChart(chart), [chart])
  const first = picture.boxes[0]?.stateId ?? null
  const tabStop = selected !== null && findArea(picture, selected) !== null ? selected : first
  useFirstViewport(props, moving)
  useEffect(() => {
    const area = attention.id === null ? null : findArea(picture, attention.id)
    if (attention.id === null || area === null) return
    moving.move(bringIn(moving.read(), area, moving.size()))
    if (attention.takesFocus) findElement(moving, attention.id)?.focus({ preventScroll: true })
  }, [attention.count, picture])
  const { choosing } = props
  useEffect(() => {
    if (choosing !== null) showGoals(moving, picture, choosing)
  }, [choosing])
  usePrinting(moving, picture)
  // What tests measure the first drawing by.
  useEffect(() => void performance.mark('chart-drawn'), [])
  const drawing = useMemo(
    () => <ChartDrawing picture={picture} overlay={overlay} describe={describe} toClass={toClass} tabStop={tabStop} />,
    [picture, overlay, describe, toClass, tabStop],
  )
  return (
    <div class="canvas" ref={moving.frame}>
      <svg
        {...graphicsRole}
        aria-label={`State chart ${picture.title}`}
        aria-describedby="chart-keys"
        onClick={(event) => onClick(event, props)}
        onDblClick={(event) => onDoubleClick(event, props)}
        onKeyDown={(event) => onKeyDown(event, props, moving)}
        onFocusIn={(event) => onFocus(event, props, moving)}
      >
        <g ref={moving.stage}>
          {drawing}
          {props.children}
        </g>
      </svg>
      {picture.note !== null && (
        <p class="canvas-note" role="alert">
          {picture.note}
        </p>
      )}
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Zoom in" onClick={() => zoomBy(moving, zoomStep)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => zoomBy(moving, 1 / zoomStep)}>
          −
        </button>
        <button type="button" aria-label="Show the whole chart" onClick={() => showWhole(moving, picture)}>
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
            <path d="M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4" fill="none" stroke="currentColor" stroke-width="1.6" />
          </svg>
        </button>
      </div>
    </div>
  )
}

/** Without a viewport in the address all is shown, also when the window gets another size. */
function useFirstViewport(props: CanvasProps, moving: Moving): void {
  const { view, viewport, selected } = props
  const newest = useRef(props)
  newest.current = props
  const isFirst = useRef(true)
  const show = (): void => {
    const next = viewport ?? begin(view.picture, moving.size(), selected)
    const { stage } = moving
    if (viewport === null) stage.current?.setAttribute('transform', toTransform(next))
    moving.move(next)
  }
  useLayoutEffect(() => {
    // Later ones come from what was shown, and may be overtaken already by what is shown now.
    if (viewport === null || isFirst.current) show()
    isFirst.current = false
  }, [viewport === null, view.picture])
  useEffect(() => {
    const element = moving.frame.current
    if (element === null || viewport !== null) return undefined
    const observer = new ResizeObserver(() => newest.current.choosing === null && show())
    observer.observe(element)
    return () => observer.disconnect()
  }, [viewport === null, view.picture])
}

function toTransform({ x, y, scale }: Viewport): string {
  return `translate(${x} ${y}) scale(${scale})`
}

/** On paper the whole chart stands on one page. */
function usePrinting(moving: Moving, { width, height }: View['picture']): void {
  useEffect(() => {
    const svg = (): SVGSVGElement | null => moving.stage.current?.ownerSVGElement ?? null
    const before = (): void => {
      svg()?.setAttribute('viewBox', `0 0 ${width} ${height}`)
      moving.stage.current?.removeAttribute('transform')
    }
    const after = (): void => {
      svg()?.removeAttribute('viewBox')
      moving.stage.current?.setAttribute('transform', toTransform(moving.read()))
    }
    addEventListener('beforeprint', before)
    addEventListener('afterprint', after)
    return () => {
      removeEventListener('beforeprint', before)
      removeEventListener('afterprint', after)
    }
  }, [width, height])
}

function showWhole(moving: Moving, picture: View['picture']): void {
  moving.move(fitWhole(picture, moving.size()))
}

/** Where it begins and what is likely, in one look. */
function showGoals(moving: Moving, picture: View['picture'], { from, likely }: Choosing): void {
  const areas = [from, ...likely].flatMap((id) => findArea(picture, id) ?? [])
  const { width, height } = moving.size()
  // Below the words that ask for it.
  const top = moving.frame.current?.parentElement?.querySelector('.picking')?.clientHeight ?? 0
  const seen = fit(toSpan(areas), { width, height: height - top }, 1)
  if (areas.length > 0) moving.move({ ...seen, y: seen.y + top })
  findElement(moving, from)?.focus({ preventScroll: true })
}

function zoomBy(moving: Moving, by: number): void {
  const { width, height } = moving.size()
  moving.move(zoom(moving.read(), by, { x: width / 2, y: height / 2 }))
}

/** The state or transition that an event is about; of an arrow its first transition that is not selected. */
function toId(event: Event, { view, selected }: CanvasProps): string | null {
  const element = (event.target as Element).closest<SVGElement>('[data-edge],[data-state],[data-arrow]')
  if (element === null) return null
  const { edge, state, arrow } = element.dataset
  if (arrow === undefined) return edge ?? state ?? null
  const labels = view.picture.arrows.find(({ id }) => id === arrow)?.labels ?? []
  const at = labels.findIndex(({ transitionId }) => transitionId === selected)
  return labels[(at + 1) % labels.length]?.transitionId ?? null
}

function onClick(event: MouseEvent, props: CanvasProps): void {
  const id = toId(event, props)
  if (props.choosing === null) props.onSelect(id)
  else chooseState(id, props.choosing)
}

function chooseState(id: string | null, { goals, choose }: Choosing): void {
  if (id !== null && goals.has(id)) choose(id)
}

function onDoubleClick(event: MouseEvent, props: CanvasProps): void {
  const id = toId(event, props)
  if (id !== null && props.choosing === null && props.view.foldable.includes(id)) props.onFold(id)
}

function onFocus(event: FocusEvent, props: CanvasProps, moving: Moving): void {
  const element = event.target as SVGElement
  const id = element.dataset['edge'] ?? element.dataset['state']
  if (id === undefined || !element.matches(':focus-visible')) return
  const area = findArea(props.view.picture, id)
  if (area !== null) moving.move(reveal(moving.read(), area, moving.size()))
  if (id !== props.selected) props.onSelect(id)
}

function onKeyDown(event: KeyboardEvent, props: CanvasProps, moving: Moving): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const element = event.target as SVGElement
  const id = element.dataset['edge'] ?? element.dataset['state']
  if (event.key === '+' || event.key === '=') zoomBy(moving, zoomStep)
  else if (event.key === '-') zoomBy(moving, 1 / zoomStep)
  else if (event.key === '0') showWhole(moving, props.view.picture)
  else if (id === undefined) return
  else if (event.key === 'Enter' || event.key === ' ') enter(id, props)
  else if (event.key === 'f' && props.view.foldable.includes(id)) props.onFold(id)
  else if (event.key.startsWith('Arrow')) followArrow(event.key, id, props, moving)
  else return
  event.preventDefault()
}

function enter(id: string, { choosing, onOpen }: CanvasProps): void {
  if (choosing === null) onOpen(id)
  else chooseState(id, choosing)
}

/** From the top down, and around. */
function toNextGoal(key: string, id: string, { boxes }: View['picture'], { goals }: Choosing): string | null {
  const ordered = boxes
    .filter(({ stateId }) => goals.has(stateId))
    .toSorted((one, other) => one.y - other.y || one.x - other.x)
    .map(({ stateId }) => stateId)
  const isBack = key === 'ArrowUp' || key === 'ArrowLeft'
  const at = ordered.indexOf(id)
  if (at === -1) return (isBack ? ordered.at(-1) : ordered[0]) ?? null
  return ordered[(at + (isBack ? -1 : 1) + ordered.length) % ordered.length] ?? null
}

/** What is folded away cannot be focused; its outermost visible state stands for it. */
function followArrow(key: string, id: string, { view, around, choosing }: CanvasProps, moving: Moving): void {
  const next =
    choosing === null ? findNeighbour(key, id, view.chart, around) : toNextGoal(key, id, view.picture, choosing)
  let goal = next
  while (goal !== null && findArea(view.picture, goal) === null) {
    goal = around.transition(goal)?.source ?? around.state(goal)?.parent ?? null
  }
  if (goal !== null) findElement(moving, goal)?.focus({ preventScroll: true })
}

function findElement({ stage }: Moving, id: string): SVGElement | null {
  const quoted = CSS.escape(id)
  return stage.current?.querySelector<SVGElement>(`[data-edge="${quoted}"],[data-state="${quoted}"]`) ?? null
}
