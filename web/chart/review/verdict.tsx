/** Approve or reject: bound to what is looked at, so that any later change voids it. */
import { useState } from 'preact/hooks'
import { decide, toReviewPath, type ReviewAnswer } from './review-api.ts'
import { useWriter, WriterFields } from './writer-fields.tsx'

type Props = { readonly review: ReviewAnswer; readonly onDecided: (review: ReviewAnswer) => void }

export function Verdict({ review, onDecided }: Props) {
  const { id, seen, verdict, judgement, mayWrite, base, head } = review
  const [writer, changeWriter] = useWriter()
  const [note, setNote] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const give = async (given: 'approved' | 'rejected'): Promise<void> => {
    try {
      onDecided(await decide(id, { verdict: given, note, seen }, writer))
      setProblem(null)
      setNote('')
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const isReady = writer.name.trim() !== '' && writer.token !== ''
  return (
    <section aria-label="Verdict">
      <h3>Verdict</h3>
      {verdict !== null && (
        <p class="given">
          <span class={`chip ${toTone(judgement.verdict)}`}>{judgement.verdict}</span> {verdict.author},{' '}
          {new Date(verdict.at).toLocaleString('en', { dateStyle: 'medium', timeStyle: 'short' })}
          {judgement.verdict === 'void' && <span class="goal">the machine was changed since: look again</span>}
          {verdict.note !== '' && <q>{verdict.note}</q>}
        </p>
      )}
      {mayWrite ? (
        <form class="write" onSubmit={(event) => event.preventDefault()}>
          <label class="line" for="verdict-note">
            Note
            <textarea
              id="verdict-note"
              rows={2}
              maxLength={4_000}
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          </label>
          <WriterFields of="verdict" writer={writer} onChange={changeWriter} />
          <p class="buttons">
            <button type="button" class="plain approve" disabled={!isReady} onClick={() => void give('approved')}>
              Approve
            </button>
            <button type="button" class="plain reject" disabled={!isReady} onClick={() => void give('rejected')}>
              Reject
            </button>
          </p>
          {problem !== null && (
            <p class="problem" role="alert">
              {problem}
            </p>
          )}
        </form>
      ) : (
        <p class="hint">Nobody may write here: DUOLOGUE_REVIEW_TOKEN is not set.</p>
      )}
      <p class="goal">
        of {base.chart}
        {base.source === null ? '' : `/${base.source}`} to {head.chart}
        {head.source === null ? '' : `/${head.source}`}
      </p>
      <a class="link" href={toReviewPath(id)} download={`${id}.json`}>
        Save as reviews/{id}.json
      </a>
    </section>
  )
}

function toTone(state: string): string {
  return state === 'approved' ? 'added' : state === 'rejected' ? 'removed' : ''
}
