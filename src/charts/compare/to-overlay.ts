/** A comparison as marks on the union's picture, and the signs that its labels have to have room for. */
import type { Mark, Overlay, Tone } from '../drawing/overlay.ts'
import type { ExtraSigns } from '../layout/plan.ts'
import type { Change, Comparison } from './compare-charts.ts'

export function toOverlay({ changes, onlyBase, onlyHead }: Comparison): Overlay {
  const marks: { [id: string]: Mark } = {}
  const mark = (id: string, tone: Tone, note: string | null): void => {
    marks[id] = { tone, badge: null, note }
  }
  for (const change of changes) for (const id of change.ids) mark(id, toTone(change, id, onlyBase), toNote(change))
  for (const id of onlyBase) mark(id, 'removed', marks[id]?.note ?? 'removed')
  for (const id of onlyHead) if (marks[id] === undefined) mark(id, 'added', 'added')
  return { kind: 'compare', marks }
}

export function toExtraSigns({ marks }: Overlay): ExtraSigns {
  const toned = Object.entries(marks).filter(([, { tone }]) => tone !== 'unchanged')
  return Object.fromEntries(toned.map(([id, { tone }]) => [id, tone as 'added' | 'removed' | 'changed']))
}

function toTone({ kind }: Change, id: string, onlyBase: readonly string[]): Tone {
  if (onlyBase.includes(id)) return 'removed'
  return kind === 'added' || kind === 'removed' ? kind : 'changed'
}

function toNote({ kind, sentence, was }: Change): string {
  return kind === 'changed' && was !== null ? `${sentence}; was: ${was}` : sentence
}
