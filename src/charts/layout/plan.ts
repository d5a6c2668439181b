/**
 * What has to be placed: boxes with their rows and bundles of transitions with their labels, all
 * measured. The layout engine sees nothing but these sizes.
 */
import type { Chart, ChartState, ChartTransition } from '../chart.ts'
import type { Folded } from '../fold-chart.ts'
import type { Box, Entry, Sign } from '../picture.ts'
import { toTargetName } from '../target-name.ts'
import { toTextWidth } from './text-width.ts'
import {
  isStop,
  rootRowWidthMax,
  titleFontSize,
  toLabelWords,
  toNoteWords,
  toRowWords,
  toStateWords,
} from './wording.ts'
import type { Words } from './wording.ts'

export const lineHeight = 14
export const rowPadding = 2
export const headerHeight = 28
export const titleInset = 12
export const signWidth = 15
const rowsMargin = 6
const labelPaddingX = 7
const labelPaddingY = 3
const boxWidthMin = 96
const historySize = 26

/** Signs that an overlay adds to a state or transition, by id. They are measured with the words. */
export type ExtraSigns = { readonly [id: string]: Sign }

export type PlannedBox = Omit<Box, 'x' | 'y' | 'depth'> & {
  readonly parent: string | null
  /** Height of the title and rows; children are placed below. */
  readonly header: number
}

export type PlannedArrow = {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly kind: ChartTransition['kind'] | 'mixed'
  /** Placed from the upper left corner of the arrow's label. */
  readonly labels: readonly Entry[]
  readonly width: number
  readonly height: number
}

export type Plan = {
  readonly rootId: string
  readonly rootRows: readonly Entry[]
  readonly boxes: readonly PlannedBox[]
  readonly arrows: readonly PlannedArrow[]
}

export type PlanOptions = {
  readonly extra?: ExtraSigns
  /** What is inside boxes that were folded. */
  readonly folded?: { readonly [stateId: string]: Folded }
  /** No arrows at all, for the drawing that needs no layout engine. */
  readonly allAsRows?: boolean
}

export function toPlan(chart: Chart, options: PlanOptions = {}): Plan {
  const { extra = {}, folded = {}, allAsRows = false } = options
  const states = new Map(chart.states.map((state) => [state.id, state]))
  const rows = new Map<string, ChartTransition[]>(chart.states.map(({ id }) => [id, []]))
  const bundles = new Map<string, ChartTransition[]>()
  for (const transition of chart.transitions) {
    const { source } = transition
    const [target] = transition.targets
    if (target === undefined || allAsRows || source === chart.root || isWithin(target, source, states)) {
      rows.get(source)?.push(transition)
      continue
    }
    const key = `${source}>${target}`
    bundles.set(key, [...(bundles.get(key) ?? []), transition])
  }
  const names = (id: string): string => toTargetName(id, chart.root)
  const root = states.get(chart.root)
  const toEntries = (state: ChartState): readonly UnplacedEntry[] =>
    toRowEntries(state, rows.get(state.id) ?? [], extra, folded[state.id], chart.root)
  return {
    rootId: chart.root,
    rootRows: root === undefined ? [] : stack(toEntries(root), 0, 0),
    boxes: chart.states
      .filter(({ id }) => id !== chart.root)
      .map((state) => toBox(state, states, toEntries(state), extra, folded[state.id] !== undefined)),
    arrows: [...bundles].map(([key, transitions]) => toArrow(key, transitions, extra, names)),
  }
}

/** The state itself counts as within. */
function isWithin(id: string, outer: string, states: ReadonlyMap<string, ChartState>): boolean {
  for (let at: string | null = id; at !== null; at = states.get(at)?.parent ?? null) if (at === outer) return true
  return false
}

type UnplacedEntry = Pick<Entry, 'transitionId' | 'kind'> & Words

function toRowEntries(
  state: ChartState,
  transitions: readonly ChartTransition[],
  extra: ExtraSigns,
  folded: Folded | undefined,
  rootId: string,
): readonly UnplacedEntry[] {
  const isRoot = state.id === rootId
  const names = (id: string): string => toTargetName(id, id.startsWith(`${state.id}.`) ? state.id : rootId)
  const inside = folded === undefined ? [] : [toNoteWords(toInside(folded))]
  const own = [...inside, ...toStateWords(state)].map((words) => ({
    transitionId: null,
    kind: 'note' as const,
    ...words,
  }))
  const rows = transitions.map((transition) => ({
    transitionId: transition.id,
    kind: isStop(transition) ? ('note' as const) : transition.kind,
    ...toRowWords(transition, toExtra(transition.id, extra), names, isRoot ? rootRowWidthMax : undefined),
  }))
  return [...own, ...rows]
}

function toInside({ states, transitions }: Folded): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`
  return `${count(states, 'state')}, ${count(transitions, 'transition')} inside`
}

function toExtra(id: string, extra: ExtraSigns): readonly Sign[] {
  const sign = extra[id]
  return sign === undefined ? [] : [sign]
}

/** Rows one below the other, from the given corner. */
function stack(entries: readonly UnplacedEntry[], x: number, top: number): readonly Entry[] {
  let y = top
  return entries.map((entry) => {
    const height = entry.lines.length * lineHeight + rowPadding
    const placed = { ...entry, x, y, height, width: toWordsWidth(entry) }
    y += height
    return placed
  })
}

function toWordsWidth({ signs, lines }: Words): number {
  return signs.length * signWidth + Math.max(0, ...lines.map(({ width }) => width))
}

function toBox(
  state: ChartState,
  states: ReadonlyMap<string, ChartState>,
  entries: readonly UnplacedEntry[],
  extra: ExtraSigns,
  isFolded: boolean,
): PlannedBox {
  const parent = state.parent === null ? undefined : states.get(state.parent)
  const titleSigns = toExtra(state.id, extra)
  const rows = stack(entries, titleInset, headerHeight + rowsMargin)
  const last = rows.at(-1)
  const header = last === undefined ? headerHeight : last.y + last.height + rowsMargin
  const titleWidth = toTextWidth(state.key, titleFontSize, true) + titleSigns.length * signWidth
  const width = Math.max(boxWidthMin, titleWidth + 2 * titleInset, ...rows.map((row) => row.width + 2 * titleInset))
  // In a comparison it may have been another kind of state, with rows.
  const isHistory = state.kind === 'history' && entries.length === 0
  return {
    stateId: state.id,
    parent: state.parent,
    title: state.key,
    titleSigns,
    kind: toBoxKind(state, parent, isFolded, rows.length > 0),
    history: state.history,
    isInitial: parent?.initial === state.id,
    rows,
    header,
    width: isHistory ? historySize : Math.ceil(width),
    height: isHistory ? historySize : header + (state.kind === 'final' || isFolded ? 4 : 0),
  }
}

function toBoxKind(
  state: ChartState,
  parent: ChartState | undefined,
  isFolded: boolean,
  hasRows: boolean,
): Box['kind'] {
  if (isFolded) return 'folded'
  if (state.kind === 'history' && hasRows) return 'atomic'
  return parent?.kind === 'parallel' && state.kind === 'compound' ? 'region' : state.kind
}

function toArrow(
  id: string,
  transitions: readonly ChartTransition[],
  extra: ExtraSigns,
  names: (id: string) => string,
): PlannedArrow {
  let y = labelPaddingY
  const labels = transitions.map((transition) => {
    const words = toLabelWords(transition, toExtra(transition.id, extra), names)
    const height = words.lines.length * lineHeight
    const label = { transitionId: transition.id, kind: transition.kind, ...words, x: labelPaddingX, y, height }
    y += height + 2 * labelPaddingY
    return { ...label, width: toWordsWidth(words) }
  })
  const kinds = new Set(transitions.map(({ kind }) => kind))
  const [first] = transitions
  return {
    id,
    source: first?.source ?? '',
    target: first?.targets[0] ?? '',
    kind: kinds.size === 1 ? (first?.kind ?? 'event') : 'mixed',
    labels,
    width: Math.ceil(Math.max(...labels.map(({ width }) => width)) + 2 * labelPaddingX),
    height: y - labelPaddingY,
  }
}
