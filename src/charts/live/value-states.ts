/** A stored state value on a chart: which states it stands in, and where a state is reached from the root. */
import type { Json } from '../../machines/json.ts'
import type { ChartIndex } from '../chart-index.ts'

/** Ids from the outside in, without the root; null when the chart has no such place. */
export function toActive(index: ChartIndex, value: Json, within = index.chart.root): readonly string[] | null {
  if (typeof value === 'string') {
    const found = findChild(index, within, value)
    return found === null ? null : [found]
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const active: string[] = []
  for (const [key, inner] of Object.entries(value)) {
    const found = findChild(index, within, key)
    if (found === null) return null
    active.push(found)
    if (isEmpty(inner)) continue
    const deeper = toActive(index, inner, found)
    if (deeper === null) return null
    active.push(...deeper)
  }
  return active.length === 0 ? null : active
}

/** As much of it as the chart has: a state is stood in though the chart does not know which of its inner states it is. */
export function toKnown(index: ChartIndex, value: Json, within = index.chart.root): readonly string[] {
  if (typeof value === 'string') return toActive(index, value, within) ?? []
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const found = findChild(index, within, key)
    return found === null ? [] : [found, ...(isEmpty(inner) ? [] : toKnown(index, inner, found))]
  })
}

/** Keys from the root to the state; empty for the root. */
export function toPath(index: ChartIndex, id: string): readonly string[] {
  return index
    .lineage(id)
    .filter((one) => one !== index.chart.root)
    .map((one) => index.state(one)?.key ?? '')
    .toReversed()
}

/** Of active states, those that no other one is inside of. */
export function toInnermost(index: ChartIndex, active: readonly string[]): readonly string[] {
  const parents = new Set(active.map((id) => index.state(id)?.parent))
  return active.filter((id) => !parents.has(id))
}

function findChild(index: ChartIndex, parent: string, key: string): string | null {
  return index.children(parent).find((child) => child.key === key)?.id ?? null
}

function isEmpty(value: Json): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}
