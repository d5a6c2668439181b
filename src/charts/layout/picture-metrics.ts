/**
 * How good a picture is, in numbers: what overlaps (nothing may), how often ways cross, whether it reads from
 * top to bottom. Tests hold pictures to them; the search for the best layout ranks by them.
 */
import type { Area, Arrow, Box, Entry, Picture, Point } from '../picture.ts'

export type PictureMetrics = {
  /** Sentences about things that lie on each other or leave their frame; empty is right. */
  readonly overlaps: readonly string[]
  readonly crossings: number
  readonly bends: number
  /** Initial states that are drawn below a sibling that they precede. */
  readonly misplacedInitials: readonly string[]
  readonly area: number
}

type Segment = { readonly from: Point; readonly to: Point }

const pillPadding = { x: 7, y: 3 }
/** Rounding moves things by a tenth of a pixel. */
const tolerance = 0.6

export function measurePicture(picture: Picture): PictureMetrics {
  return {
    overlaps: [
      ...findBoxOverlaps(picture),
      ...findLabelOverlaps(picture),
      ...findWayOverlaps(picture),
      ...findSpills(picture),
    ],
    crossings: countCrossings(picture.arrows),
    bends: picture.arrows.reduce((sum, { points }) => sum + points.length - 2, 0),
    misplacedInitials: findMisplacedInitials(picture.boxes),
    area: picture.width * picture.height,
  }
}

export function toPill(labels: readonly Entry[]): Area {
  const [first] = labels
  const last = labels.at(-1)
  if (first === undefined || last === undefined) return { x: 0, y: 0, width: 0, height: 0 }
  const width = Math.max(...labels.map((label) => label.width)) + 2 * pillPadding.x
  const y = first.y - pillPadding.y
  return { x: first.x - pillPadding.x, y, width, height: last.y + last.height + pillPadding.y - y }
}

function findBoxOverlaps({ boxes }: Picture): readonly string[] {
  const found: string[] = []
  for (const [place, a] of boxes.entries()) {
    for (const b of boxes.slice(place + 1)) {
      if (!meets(a, b) || contains(a, b) || contains(b, a)) continue
      found.push(`the states ${a.stateId} and ${b.stateId}`)
    }
  }
  return found
}

function findLabelOverlaps({ boxes, arrows }: Picture): readonly string[] {
  const found: string[] = []
  const pills = arrows.map((arrow) => ({ id: arrow.id, area: toPill(arrow.labels) }))
  for (const [place, { id, area }] of pills.entries()) {
    for (const other of pills.slice(place + 1))
      if (meets(area, other.area)) found.push(`the labels ${id} and ${other.id}`)
    for (const box of boxes) {
      if (
        meets(area, toWordsArea(box)) &&
        !(isContainer(box) && contains(box, area) && !meets(area, toWordsArea(box)))
      ) {
        found.push(`the label ${id} and the state ${box.stateId}`)
      }
    }
  }
  return found
}

/** What of a box nothing else may cover: all of a leaf, the words of a container. */
function toWordsArea(box: Box): Area {
  if (!isContainer(box)) return box
  const last = box.rows.at(-1)
  return { ...box, height: (last === undefined ? box.y + 26 : last.y + last.height) - box.y }
}

function isContainer({ kind }: Box): boolean {
  return kind === 'compound' || kind === 'parallel' || kind === 'region'
}

function findWayOverlaps({ boxes, arrows }: Picture): readonly string[] {
  const found: string[] = []
  for (const arrow of arrows) {
    const segments = toSegments(arrow)
    for (const box of boxes.filter((candidate) => !isContainer(candidate))) {
      const own = box.stateId === arrow.source || box.stateId === arrow.target
      if (!own && segments.some((segment) => crosses(segment, box))) {
        found.push(`the way ${arrow.id} and the state ${box.stateId}`)
      }
    }
    for (const other of arrows) {
      if (other.id === arrow.id) continue
      const pill = toPill(other.labels)
      if (segments.some((segment) => crosses(segment, pill)))
        found.push(`the way ${arrow.id} and the label ${other.id}`)
    }
  }
  return found
}

/** Words that are wider than what they stand in. */
function findSpills({ boxes, arrows, width, height }: Picture): readonly string[] {
  const found: string[] = []
  for (const box of boxes) {
    for (const row of box.rows) if (!contains(box, row)) found.push(`a row leaves ${box.stateId}`)
    if (!contains({ x: 0, y: 0, width, height }, box)) found.push(`${box.stateId} leaves the picture`)
  }
  for (const { id, labels, points } of arrows) {
    if (points.length < 2) found.push(`${id} has no way`)
    for (const label of labels) {
      const lines = Math.max(...label.lines.map((line) => line.width)) + label.signs.length * 15
      if (lines > label.width + tolerance) found.push(`a label of ${id} is wider than its pill`)
    }
  }
  return found
}

function countCrossings(arrows: readonly Arrow[]): number {
  const all = arrows.flatMap((arrow) => toSegments(arrow).map((segment) => ({ ...segment, id: arrow.id })))
  let count = 0
  for (const [place, a] of all.entries()) {
    for (const b of all.slice(place + 1)) if (a.id !== b.id && isCrossing(a, b)) count += 1
  }
  return count
}

/** A level and an upright segment that meet inside both. */
function isCrossing(a: Segment, b: Segment): boolean {
  const isLevel = ({ from, to }: Segment): boolean => Math.abs(from.y - to.y) < tolerance
  if (isLevel(a) === isLevel(b)) return false
  const [level, upright] = isLevel(a) ? [a, b] : [b, a]
  const { x } = upright.from
  const { y } = level.from
  return isBetween(x, level.from.x, level.to.x) && isBetween(y, upright.from.y, upright.to.y)
}

function isBetween(value: number, a: number, b: number): boolean {
  return value > Math.min(a, b) + tolerance && value < Math.max(a, b) - tolerance
}

function findMisplacedInitials(boxes: readonly Box[]): readonly string[] {
  const parentOf = (box: Box): string => box.stateId.slice(0, -box.title.length - 1)
  return boxes
    .filter(({ isInitial }) => isInitial)
    .filter((box) =>
      boxes.some(
        (other) => parentOf(other) === parentOf(box) && other.y + tolerance < box.y && other.kind !== 'history',
      ),
    )
    .map(({ stateId }) => stateId)
}

function toSegments({ points }: Arrow): readonly Segment[] {
  return points.slice(1).map((to, place) => ({ from: points[place] as Point, to }))
}

function crosses({ from, to }: Segment, area: Area): boolean {
  const x = Math.min(from.x, to.x)
  const y = Math.min(from.y, to.y)
  return meets({ x, y, width: Math.abs(from.x - to.x), height: Math.abs(from.y - to.y) }, area)
}

function meets(a: Area, b: Area): boolean {
  const isApart =
    a.x + a.width <= b.x + tolerance ||
    b.x + b.width <= a.x + tolerance ||
    a.y + a.height <= b.y + tolerance ||
    b.y + b.height <= a.y + tolerance
  return !isApart
}

function contains(outer: Area, inner: Area): boolean {
  return (
    inner.x >= outer.x - tolerance &&
    inner.y >= outer.y - tolerance &&
    inner.x + inner.width <= outer.x + outer.width + tolerance &&
    inner.y + inner.height <= outer.y + outer.height + tolerance
  )
}
