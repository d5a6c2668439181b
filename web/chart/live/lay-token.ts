/** Where a conversation stood at a step, and how it came there, over the chart. */
import type { Mark } from '../../../src/charts/drawing/overlay.ts'
import type { TimelineStep } from '../../../src/charts/live/timeline.ts'
import type { Laid } from '../review/overlays.ts'

export function layToken({ from, to, transitions }: TimelineStep): Laid {
  const marks: { [id: string]: Mark } = {}
  for (const id of from) marks[id] = { tone: 'changed', badge: 'before', note: 'it stood here before the step' }
  for (const id of to) marks[id] = { tone: 'would', badge: 'here', note: 'it stands here after the step' }
  for (const id of transitions) marks[id] = { tone: 'would', badge: null, note: 'the step took this one' }
  return {
    overlay: { kind: 'replay', marks },
    legend: [
      { tone: 'changed', text: 'before' },
      { tone: 'would', text: 'here, and the way' },
    ],
  }
}
