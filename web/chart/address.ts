/**
 * What is shown stands in the page's address, so that a link gives somebody else the same view. What the
 * address says and the page does not know is kept out, never an error.
 */
import type { Step } from '../../src/charts/simulate/steps.ts'

export const tabs = ['details', 'simulate', 'changes', 'findings', 'review', 'live'] as const
export type Tab = (typeof tabs)[number]

/** What may be laid over the chart in place of the kinds or the comparison. */
export const layers = ['tests', 'findings', 'comments', 'live'] as const
export type Layer = (typeof layers)[number]

export const phases = ['both', 'before', 'after'] as const
export type Phase = (typeof phases)[number]

/** How long back transitions are counted. */
export const windows = ['1h', '24h', '7d'] as const
export type Window = (typeof windows)[number]

export type Viewport = { readonly x: number; readonly y: number; readonly scale: number }

export type Address = {
  /** `conversation@1`; null: the first chart there is. */
  readonly chart: string | null
  readonly base: string | null
  /** The id of a state or a transition. */
  readonly selected: string | null
  readonly folds: readonly string[]
  readonly tab: Tab
  readonly phase: Phase
  readonly layer: Layer | null
  readonly window: Window
  /** The state whose list holds only who stands there for too long. */
  readonly over: string | null
  /** The id of the conversation that is looked at, and the version of its step; null: the last one. */
  readonly conversation: string | null
  readonly moment: number | null
  readonly isTable: boolean
  readonly search: string
  readonly steps: readonly Step[]
  /** Null: all of it, as large as fits. */
  readonly viewport: Viewport | null
}

export function readAddress(query: string): Address {
  const fields = new URLSearchParams(query)
  const tab = tabs.find((one) => one === fields.get('tab'))
  const steps = readSteps(fields.get('steps') ?? '')
  return {
    chart: fields.get('m'),
    base: fields.get('base'),
    selected: fields.get('t') ?? fields.get('s'),
    folds: (fields.get('fold') ?? '').split(',').filter((id) => id !== ''),
    tab: tab ?? (steps.length > 0 ? 'simulate' : fields.has('base') ? 'changes' : 'details'),
    phase: phases.find((one) => one === fields.get('show')) ?? 'both',
    layer: layers.find((one) => one === fields.get('overlay')) ?? null,
    window: windows.find((one) => one === fields.get('window')) ?? '1h',
    over: fields.get('over'),
    conversation: /^[0-9a-f-]{36}$/u.exec(fields.get('c') ?? '')?.[0] ?? null,
    moment: readMoment(fields.get('step')),
    isTable: fields.get('view') === 'table',
    search: fields.get('q') ?? '',
    steps,
    viewport: readViewport(fields.get('at') ?? ''),
  }
}

export function toQuery(address: Address): string {
  const {
    chart,
    base,
    selected,
    folds,
    tab,
    phase,
    layer,
    window,
    over,
    conversation,
    moment,
    isTable,
    search,
    steps,
    viewport,
  } = address
  const fields = new URLSearchParams()
  const set = (name: string, value: string | null): void => {
    if (value !== null && value !== '') fields.set(name, value)
  }
  set('m', chart)
  set('base', base)
  set(selected?.includes('|') === true ? 't' : 's', selected)
  set('fold', folds.join(','))
  set('tab', tab)
  set('show', phase === 'both' ? null : phase)
  set('overlay', layer)
  set('window', window === '1h' ? null : window)
  set('over', over)
  set('c', conversation)
  set('step', moment === null ? null : String(moment))
  set('view', isTable ? 'table' : null)
  set('q', search)
  set('steps', steps.length === 0 ? null : JSON.stringify(steps))
  set('at', viewport === null ? null : [viewport.x, viewport.y, viewport.scale].map(toShort).join(','))
  return fields.size === 0 ? '' : `?${fields}`
}

function readMoment(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,6}$/u.test(text) ? Number(text) : null
}

function readViewport(text: string): Viewport | null {
  const [x, y, scale] = text.split(',').map(Number)
  if (x === undefined || y === undefined || scale === undefined) return null
  const isSound = [x, y, scale].every(Number.isFinite) && scale > 0
  return isSound ? { x, y, scale } : null
}

function readSteps(text: string): readonly Step[] {
  try {
    const steps: unknown = JSON.parse(text)
    return Array.isArray(steps) ? (steps as Step[]) : []
  } catch {
    return []
  }
}

function toShort(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
