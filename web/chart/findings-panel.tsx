/** What is doubtful about the chart; what is right as it is stands below with its reason. */
import type { Finding } from '../../src/charts/lint/lint-chart.ts'

export function FindingsPanel({
  findings,
  onGo,
}: {
  readonly findings: readonly Finding[]
  readonly onGo: (id: string) => void
}) {
  const open = findings.filter(({ allowedBecause }) => allowedBecause === null)
  const allowed = findings.filter(({ allowedBecause }) => allowedBecause !== null)
  return (
    <>
      <h2>{open.length === 0 ? 'Nothing doubtful' : open.length === 1 ? '1 doubt' : `${open.length} doubts`}</h2>
      <p class="hint">
        Looked for: states that nothing reaches or leaves, or that no timer leaves; transitions that another one hides;
        names that are not declared, or not used; always in a circle; an event that two regions take.
      </p>
      <FindingList findings={open} onGo={onGo} />
      {allowed.length > 0 && <h3>Right as it is</h3>}
      <FindingList findings={allowed} onGo={onGo} />
    </>
  )
}

function FindingList({
  findings,
  onGo,
}: {
  readonly findings: readonly Finding[]
  readonly onGo: (id: string) => void
}) {
  return (
    <ul class="links">
      {findings.map(({ rule, id, sentence, allowedBecause }) => (
        <li key={`${rule} ${sentence}`}>
          <button type="button" disabled={id === null} onClick={() => id !== null && onGo(id)}>
            <b>{sentence}</b>
            {allowedBecause !== null && <span class="goal">{allowedBecause}</span>}
          </button>
        </li>
      ))}
    </ul>
  )
}
