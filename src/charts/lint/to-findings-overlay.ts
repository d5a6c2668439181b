/** Findings as marks on a picture: what is doubtful stands out, what is right as it is says why. */
import type { Mark, Overlay } from '../drawing/overlay.ts'
import type { Finding } from './lint-chart.ts'

export function toFindingsOverlay(findings: readonly Finding[]): Overlay {
  const about = Map.groupBy(
    findings.filter(({ id }) => id !== null),
    ({ id }) => id ?? '',
  )
  return { kind: 'findings', marks: Object.fromEntries([...about].map(([id, found]) => [id, toMark(found)])) }
}

function toMark(findings: readonly Finding[]): Mark {
  const open = findings.filter(({ allowedBecause }) => allowedBecause === null)
  const words = findings.map(({ sentence, allowedBecause }) =>
    allowedBecause === null ? sentence : `${sentence} (right so: ${allowedBecause})`,
  )
  const badge = open.length === 0 ? null : open.length === 1 ? '1 doubt' : `${open.length} doubts`
  return { tone: open.length > 0 ? 'doubt' : 'allowed', badge, note: words.join('; ') }
}
