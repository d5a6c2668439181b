/**
 * Pan, zoom and pinch. While fingers move only the drawing's transform is written, not the page; what was
 * reached stands in the address a moment later.
 */
import type { RefObject } from 'preact'
import { useCallback, useEffect, useRef } from 'preact/hooks'
import type { Viewport } from './address.ts'
import { zoom, type Size } from './viewport.ts'

export type Moving = {
  readonly frame: RefObject<HTMLDivElement | null>
  readonly stage: RefObject<SVGGElement | null>
  size(): Size
  read(): Viewport
  move(viewport: Viewport): void
}

const restMs = 250
/** A press that moves less is a click. */
const clickPixels = 4
const wheelSpeed = 0.0016

type Spot = { readonly x: number; readonly y: number }

export function useViewport(onRest: (viewport: Viewport) => void): Moving {
  const frame = useRef<HTMLDivElement | null>(null)
  const stage = useRef<SVGGElement | null>(null)
  const viewport = useRef<Viewport>({ x: 0, y: 0, scale: 1 })
  const rest = useRef(0)
  const tell = useRef(onRest)
  tell.current = onRest

  const move = useCallback((next: Viewport): void => {
    viewport.current = next
    stage.current?.setAttribute('transform', `translate(${next.x} ${next.y}) scale(${next.scale})`)
    clearTimeout(rest.current)
    rest.current = window.setTimeout(() => tell.current(next), restMs)
  }, [])

  useEffect(() => {
    const element = frame.current
    return element === null ? undefined : listen(element, () => viewport.current, move)
  }, [])
  useEffect(() => () => clearTimeout(rest.current), [])
  const size = useCallback((): Size => {
    const { clientWidth = 1, clientHeight = 1 } = frame.current ?? {}
    return { width: clientWidth, height: clientHeight }
  }, [])
  return { frame, stage, size, read: () => viewport.current, move }
}

function listen(element: HTMLElement, read: () => Viewport, move: (viewport: Viewport) => void): () => void {
  const fingers = new Map<number, Spot>()
  let moved = 0
  const toSpot = ({ clientX, clientY }: MouseEvent): Spot => {
    const { left, top } = element.getBoundingClientRect()
    return { x: clientX - left, y: clientY - top }
  }
  const onWheel = (event: WheelEvent): void => {
    event.preventDefault()
    const pixels = event.deltaY * (event.deltaMode === 0 ? 1 : 30)
    move(zoom(read(), Math.exp(-pixels * wheelSpeed * (event.ctrlKey ? 4 : 1)), toSpot(event)))
  }
  const onDown = (event: PointerEvent): void => {
    if (event.button !== 0) return
    fingers.set(event.pointerId, toSpot(event))
    moved = 0
  }
  const onMove = (event: PointerEvent): void => {
    const before = fingers.get(event.pointerId)
    if (before === undefined) return
    const now = toSpot(event)
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, spot]) => spot)
    fingers.set(event.pointerId, now)
    moved += Math.hypot(now.x - before.x, now.y - before.y)
    if (moved > clickPixels && !element.hasPointerCapture(event.pointerId)) element.setPointerCapture(event.pointerId)
    const viewport = read()
    const [other] = others
    if (other === undefined) {
      move({ ...viewport, x: viewport.x + now.x - before.x, y: viewport.y + now.y - before.y })
      return
    }
    const spread = (spot: Spot): number => Math.hypot(spot.x - other.x, spot.y - other.y) || 1
    move(zoom(viewport, spread(now) / spread(before), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }))
  }
  const onUp = (event: PointerEvent): void => void fingers.delete(event.pointerId)
  // A drag ends with a click, which was none.
  const onClick = (event: MouseEvent): void => {
    if (moved > clickPixels) event.stopPropagation()
    moved = 0
  }
  element.addEventListener('wheel', onWheel, { passive: false })
  element.addEventListener('pointerdown', onDown)
  element.addEventListener('pointermove', onMove)
  element.addEventListener('pointerup', onUp)
  element.addEventListener('pointercancel', onUp)
  element.addEventListener('click', onClick, { capture: true })
  return () => {
    element.removeEventListener('wheel', onWheel)
    element.removeEventListener('pointerdown', onDown)
    element.removeEventListener('pointermove', onMove)
    element.removeEventListener('pointerup', onUp)
    element.removeEventListener('pointercancel', onUp)
    element.removeEventListener('click', onClick, { capture: true })
  }
}
