/** The paths of a drawing: rounded ways, heads, signs. */
import type { Point, Sign } from '../picture.ts'

const cornerRadius = 8
const headLength = 8
const headWidth = 8

/** Each in a square of 11. */
export const signPaths: { readonly [sign in Sign]: string } = {
  done: 'M1.5 6 4.2 9 9.5 2.5',
  error: 'M2 2 9 9M9 2 2 9',
  after: 'M5.5 1a4.5 4.5 0 1 0 .01 0M5.5 3v2.7l2 1.2',
  always: 'M6.6 1 2.6 6.3H5.4L4.4 10 8.4 4.7H5.6Z',
  loop: 'M8.9 3.6A4 4 0 1 0 9.4 6.6M9.3 1.2V3.9H6.6',
  stop: 'M5.5 1a4.5 4.5 0 1 0 .01 0M2.4 8.6 8.6 2.4',
  added: 'M5.5 1.5V9.5M1.5 5.5H9.5',
  removed: 'M1.5 5.5H9.5',
  changed: 'M5.5 1V7M2.5 4H8.5M2.5 9.6H8.5',
}

/** Through all points, with round corners; it ends where the head begins. */
export function toWayPath(points: readonly Point[]): string {
  const [first, ...rest] = points
  const last = rest.pop()
  if (first === undefined || last === undefined) return ''
  const end = towards(last, rest.at(-1) ?? first, headLength - 1)
  const parts = [`M${toText(first)}`]
  let before = first
  for (const [place, corner] of rest.entries()) {
    const next = rest[place + 1] ?? end
    const radius = Math.min(cornerRadius, distance(before, corner) / 2, distance(corner, next) / 2)
    const from = towards(corner, before, radius)
    const to = towards(corner, next, radius)
    parts.push(`L${toText(from)}Q${toText(corner)} ${toText(to)}`)
    before = corner
  }
  return `${parts.join('')}L${toText(end)}`
}

/** The triangle at the end. */
export function toHeadPath(points: readonly Point[]): string {
  const tip = points.at(-1)
  const before = points.at(-2)
  if (tip === undefined || before === undefined) return ''
  const length = distance(tip, before) || 1
  const along = { x: (before.x - tip.x) / length, y: (before.y - tip.y) / length }
  const base = { x: tip.x + along.x * headLength, y: tip.y + along.y * headLength }
  const side = { x: (-along.y * headWidth) / 2, y: (along.x * headWidth) / 2 }
  const corners = [tip, { x: base.x + side.x, y: base.y + side.y }, { x: base.x - side.x, y: base.y - side.y }]
  return `M${corners.map(toText).join('L')}Z`
}

/** From the dot before an initial state into its left side. */
export function toInitialPath({ x, y }: Point): { readonly dot: Point; readonly way: string; readonly head: string } {
  const dot = { x: x - 12, y: y - 7 }
  const end = { x, y: y + 12 }
  const way = `M${toText(dot)}C${toText({ x: dot.x, y: y + 8 })} ${toText({ x: x - 8, y: end.y })} ${toText({ x: x - 4, y: end.y })}`
  return { dot, way, head: toHeadPath([{ x: x - 20, y: end.y }, end]) }
}

function towards(from: Point, to: Point, by: number): Point {
  const length = distance(from, to)
  const share = length === 0 ? 0 : Math.min(1, by / length)
  return { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y)
}

function toText({ x, y }: Point): string {
  return `${toShort(x)} ${toShort(y)}`
}

export function toShort(value: number): number {
  return Math.round(value * 100) / 100
}
