/**
 * A plan as ELK's JSON graph and back. The options were chosen by measuring thousands of layouts; two of
 * them are traps: model order on a container makes elkjs throw, and a label without text gets no room.
 */
import type { Area, Arrow, Box, Entry, Picture, Point } from '../picture.ts'
import type { Plan, PlannedArrow, PlannedBox } from './plan.ts'

export type ElkLabel = { text: string; width: number; height: number; x?: number; y?: number; layoutOptions?: Options }
export type ElkEdge = {
  id: string
  sources: string[]
  targets: string[]
  labels: ElkLabel[]
  sections?: readonly { startPoint: Point; bendPoints?: readonly Point[]; endPoint: Point }[]
}
export type ElkNode = {
  id: string
  x?: number
  y?: number
  width?: number
  height?: number
  children?: ElkNode[]
  edges?: ElkEdge[]
  layoutOptions?: Options
}
type Options = { readonly [name: string]: string }

/** What may differ from chart to chart; the best of several is kept with a stored chart. */
export type Tuning = {
  readonly cycleBreaking: string
  readonly seed: number
  readonly thoroughness: number
  /** Pushes things together in the end: shorter ways, but in one of some hundred machines it fails or overlaps. */
  readonly isCompact: boolean
}

export const usualTuning: Tuning = { cycleBreaking: 'DEPTH_FIRST', seed: 2, thoroughness: 7, isCompact: true }

const containerPadding = { above: 20, left: 34, below: 20, right: 20 }
const pictureMargin = 24
/** The title, and below it what the root's rows are about. */
export const titleHeight = 42

/** What a container has to be wider, by its id: ELK honours no smallest width of a node that has children. */
export type Widening = { readonly [stateId: string]: number }

export function toElkGraph(plan: Plan, tuning: Tuning | 'plain', widening: Widening = {}): ElkNode {
  const children = new Map<string | null, PlannedBox[]>()
  for (const box of plan.boxes) children.set(box.parent, [...(children.get(box.parent) ?? []), box])
  const toNode = (box: PlannedBox): ElkNode => {
    const inner = children.get(box.stateId) ?? []
    const constraint: Options = box.isInitial ? { 'elk.layered.layering.layerConstraint': 'FIRST' } : {}
    if (inner.length === 0) {
      return { id: box.stateId, width: box.width, height: box.height, layoutOptions: constraint }
    }
    const container = toContainer(box, widening[box.stateId] ?? 0)
    return { id: box.stateId, children: inner.map(toNode), layoutOptions: { ...constraint, ...container } }
  }
  return {
    id: plan.rootId,
    layoutOptions: tuning === 'plain' ? plainOptions : toRootOptions(tuning),
    children: (children.get(plan.rootId) ?? []).map(toNode),
    edges: plan.arrows.map(toElkEdge),
  }
}

function toContainer({ header }: PlannedBox, widerBy: number): Options {
  const { above, left, below, right } = containerPadding
  return { 'elk.padding': `[top=${header + above},left=${left},bottom=${below},right=${right + widerBy}]` }
}

/** Containers that the engine made narrower than their own words; empty when all is well. */
export function toWidening(plan: Plan, placed: ElkNode): Widening {
  const needed = new Map(plan.boxes.map(({ stateId, width }) => [stateId, width]))
  const widening: Record<string, number> = {}
  const visit = (node: ElkNode): void => {
    for (const child of node.children ?? []) {
      const missing = (needed.get(child.id) ?? 0) - (child.width ?? 0)
      if (child.children !== undefined && missing > 0) widening[child.id] = Math.ceil(missing)
      visit(child)
    }
  }
  visit(placed)
  return widening
}

function toElkEdge({ id, source, target, width, height }: PlannedArrow): ElkEdge {
  const label = { text: id, width, height, layoutOptions: { 'elk.edgeLabels.inline': 'true' } }
  return { id, sources: [source], targets: [target], labels: [label] }
}

const plainOptions: Options = {
  'elk.algorithm': 'layered',
  'elk.direction': 'DOWN',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.edgeCoords': 'ROOT',
  'elk.json.shapeCoords': 'ROOT',
  'elk.padding': '[top=0,left=0,bottom=0,right=0]',
}

function toRootOptions({ cycleBreaking, seed, thoroughness, isCompact }: Tuning): Options {
  return {
    ...plainOptions,
    'elk.randomSeed': String(seed),
    'elk.layered.thoroughness': String(thoroughness),
    'elk.layered.cycleBreaking.strategy': cycleBreaking,
    'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    'elk.layered.nodePlacement.strategy': 'BRANDES_KOEPF',
    'elk.layered.compaction.postCompaction.strategy': isCompact ? 'EDGE_LENGTH' : 'NONE',
    'elk.spacing.nodeNode': '28',
    'elk.layered.spacing.nodeNodeBetweenLayers': '30',
    'elk.spacing.edgeNode': '15',
    'elk.spacing.edgeEdge': '12',
    'elk.spacing.edgeLabel': '4',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '12',
    'elk.layered.spacing.edgeNodeBetweenLayers': '15',
  }
}

// ── And back ─────────────────────────────────────────────────────────────────────────────────────

/** Throws when the engine left something without a place. */
export function toPicture(plan: Plan, placed: ElkNode, title: string): Picture {
  const areas = new Map<string, Area>()
  const collect = (node: ElkNode): void => {
    for (const child of node.children ?? []) {
      areas.set(child.id, toArea(child))
      collect(child)
    }
  }
  collect(placed)
  const last = plan.rootRows.at(-1)
  const rootRows = shiftEntries(plan.rootRows, { x: pictureMargin, y: pictureMargin + titleHeight })
  const top = pictureMargin + titleHeight + (last === undefined ? 0 : last.y + last.height + pictureMargin)
  const origin = { x: pictureMargin, y: top }
  const boxes = plan.boxes.map((box) => placeBox(box, areas, plan, origin))
  const edges = new Map((placed.edges ?? []).map((edge) => [edge.id, edge]))
  const arrows = plan.arrows.map((arrow) => placeArrow(arrow, edges.get(arrow.id), origin))
  const rowsWidth = Math.max(0, ...rootRows.map(({ x, width }) => x + width)) + pictureMargin
  const width = Math.max(rowsWidth, origin.x + (placed.width ?? 0) + pictureMargin, 280)
  const height = origin.y + (placed.height ?? 0) + pictureMargin
  return { title, width: Math.ceil(width), height: Math.ceil(height), rootRows, boxes, arrows, note: null }
}

function placeBox(box: PlannedBox, areas: ReadonlyMap<string, Area>, plan: Plan, origin: Point): Box {
  const area = areas.get(box.stateId)
  if (area === undefined) throw new Error(`the layout has no place for ${box.stateId}`)
  const parents = new Map(plan.boxes.map(({ stateId, parent }) => [stateId, parent]))
  let depth = 0
  for (let at = box.parent; at !== null && at !== plan.rootId; at = parents.get(at) ?? null) depth += 1
  const placed = shift(area, origin)
  const { parent: _parent, header: _header, ...rest } = box
  return { ...rest, ...placed, depth, rows: shiftEntries(box.rows, placed) }
}

function placeArrow(arrow: PlannedArrow, edge: ElkEdge | undefined, origin: Point): Arrow {
  const section = edge?.sections?.[0]
  const label = edge?.labels[0]
  if (section === undefined || label === undefined) throw new Error(`the layout has no way for ${arrow.id}`)
  const points = [section.startPoint, ...(section.bendPoints ?? []), section.endPoint]
  const { width: _width, height: _height, ...rest } = arrow
  const corner = shift(toArea(label), origin)
  return {
    ...rest,
    points: points.map(({ x, y }) => ({ x: round(x + origin.x), y: round(y + origin.y) })),
    labels: shiftEntries(arrow.labels, corner),
  }
}

function toArea({ x = 0, y = 0, width = 0, height = 0 }: Partial<Area>): Area {
  return { x, y, width, height }
}

function shift(area: Area, { x, y }: Point): Area {
  return { x: round(area.x + x), y: round(area.y + y), width: round(area.width), height: round(area.height) }
}

export function shiftEntries(entries: readonly Entry[], { x, y }: Point): readonly Entry[] {
  return entries.map((entry) => ({ ...entry, x: round(entry.x + x), y: round(entry.y + y) }))
}

/** Half pixels are kept sharp enough; long fractions only make files longer. */
function round(value: number): number {
  return Math.round(value * 10) / 10
}
