/** Moving about in a drawing: which part of it is seen, and how large. */
import type { Area, Picture } from '../../src/charts/picture.ts'
import type { Viewport } from './address.ts'

export type Size = { readonly width: number; readonly height: number }

const scaleMin = 0.05
const scaleMax = 4
const margin = 16
/** Nothing is shown larger than it was drawn just because there is room. */
const fitScaleMax = 1.15

export function fit(area: Area, window: Size, most = fitScaleMax): Viewport {
  const scale = Math.min(most, (window.width - 2 * margin) / area.width, (window.height - 2 * margin) / area.height)
  const kept = Math.max(scaleMin, scale)
  return {
    scale: kept,
    x: (window.width - area.width * kept) / 2 - area.x * kept,
    y: (window.height - area.height * kept) / 2 - area.y * kept,
  }
}

/** Below this scale words cannot be read. */
const readableScale = 0.56

/** All of a picture where that can be read; else its width from the top, or what matters of it. */
export function begin(picture: Picture, window: Size, focus: string | null): Viewport {
  const { width, height } = picture
  const whole = fit({ x: 0, y: 0, width, height }, window)
  if (whole.scale >= readableScale) return whole
  const scale = Math.min(1, (window.width - 2 * margin) / width)
  if (scale >= readableScale && focus === null) return { scale, x: (window.width - width * scale) / 2, y: margin }
  const area = (focus === null ? null : findArea(picture, focus)) ?? picture.boxes[0]
  const readable = { scale: Math.max(scale, readableScale), x: margin, y: margin }
  if (area === undefined) return readable
  const x = window.width / 2 - (area.x + Math.min(area.width, window.width) / 2) * readable.scale
  const y = focus === null ? margin : window.height / 3 - area.y * readable.scale
  return { ...readable, x: Math.min(margin, x), y: Math.min(margin, y) }
}

export function fitWhole({ width, height }: Picture, window: Size): Viewport {
  return fit({ x: 0, y: 0, width, height }, window)
}

/** The smallest area that holds all of them, with room for what stands around. */
export function toSpan(areas: readonly Area[]): Area {
  const room = 60
  const x = Math.min(...areas.map((area) => area.x)) - room
  const y = Math.min(...areas.map((area) => area.y)) - room
  const right = Math.max(...areas.map((area) => area.x + area.width)) + room
  const bottom = Math.max(...areas.map((area) => area.y + area.height)) + room
  return { x, y, width: right - x, height: bottom - y }
}

/** The point under the cursor stays where it is. */
export function zoom({ x, y, scale }: Viewport, by: number, at: { readonly x: number; readonly y: number }): Viewport {
  const next = Math.max(scaleMin, Math.min(scaleMax, scale * by))
  const ratio = next / scale
  return { scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio }
}

/** What is not in sight comes to the middle, large enough to be read; what is in sight stays where it is. */
export function bringIn(viewport: Viewport, area: Area, window: Size): Viewport {
  const seen = reveal(viewport, area, window)
  const isInSight = seen.x === viewport.x && seen.y === viewport.y
  if (isInSight && viewport.scale >= readableScale) return viewport
  const most = (window.width - 2 * margin) / area.width
  const scale = Math.min(Math.max(viewport.scale, readableScale), Math.max(most, scaleMin))
  const middle = { x: area.x + area.width / 2, y: area.y + area.height / 2 }
  return { scale, x: window.width / 2 - middle.x * scale, y: window.height / 2 - middle.y * scale }
}

/** Moves only as far as is needed to see the area. */
export function reveal(viewport: Viewport, area: Area, window: Size): Viewport {
  const { scale } = viewport
  const edge = 40
  const shift = (from: number, size: number, room: number): number => {
    if (size > room - 2 * edge) return room / 2 - (from + size / 2)
    return Math.max(edge - from, 0) + Math.min(room - edge - (from + size), 0)
  }
  return {
    scale,
    x: viewport.x + shift(area.x * scale + viewport.x, area.width * scale, window.width),
    y: viewport.y + shift(area.y * scale + viewport.y, area.height * scale, window.height),
  }
}

/** Where a state or transition is drawn; null when it is folded away. */
export function findArea({ boxes, arrows, rootRows }: Picture, id: string): Area | null {
  const box = boxes.find(({ stateId }) => stateId === id)
  if (box !== undefined) return box
  const entries = [...rootRows, ...boxes.flatMap(({ rows }) => rows), ...arrows.flatMap(({ labels }) => labels)]
  return entries.find(({ transitionId }) => transitionId === id) ?? null
}
