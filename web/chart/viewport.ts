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

/** All of a picture; where that would be too small to read, its whole width from the top. */
export function fitPicture({ width, height }: Picture, window: Size): Viewport {
  const whole = fit({ x: 0, y: 0, width, height }, window)
  const readable = 0.42
  if (whole.scale >= readable || window.width < 700) return whole
  const scale = Math.min(1, (window.width - 2 * margin) / width)
  return { scale, x: (window.width - width * scale) / 2, y: margin }
}

/** The point under the cursor stays where it is. */
export function zoom({ x, y, scale }: Viewport, by: number, at: { readonly x: number; readonly y: number }): Viewport {
  const next = Math.max(scaleMin, Math.min(scaleMax, scale * by))
  const ratio = next / scale
  return { scale: next, x: at.x - (at.x - x) * ratio, y: at.y - (at.y - y) * ratio }
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
