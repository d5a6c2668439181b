/** A conversation's status as a word and a colour; the colour never stands alone. */

type Tone = 'waiting' | 'active' | 'person' | 'quiet' | 'closed' | 'failed'

const statuses: { readonly [status: string]: { readonly tone: Tone; readonly sentence: string } } = {
  PENDING: { tone: 'waiting', sentence: 'Waits for the first answer.' },
  PROGRESS: { tone: 'active', sentence: 'The conversation is going on.' },
  HUMAN_HANDOFF: { tone: 'person', sentence: 'A person is asked for, or answers.' },
  IDLE_TIMEOUT: { tone: 'quiet', sentence: 'Nobody wrote for a while. A message brings it back.' },
  AGENT_CLOSED: { tone: 'closed', sentence: 'An agent closed it. A message opens a new one.' },
  SUPPORT_CLOSED: { tone: 'closed', sentence: 'Support closed it. A message opens a new one.' },
  USER_CLOSED: { tone: 'closed', sentence: 'The user closed it. A message opens a new one.' },
  EXPIRED: { tone: 'closed', sentence: 'It expired. A message opens a new one.' },
  FAILED: { tone: 'failed', sentence: 'It could not go on. A message opens a new one.' },
}

export function StatusChip({ status }: { readonly status: string | null }) {
  if (status === null) return null
  return (
    <span class="chip" data-tone={statuses[status]?.tone ?? 'quiet'}>
      {status}
    </span>
  )
}

export function toSentence(status: string): string {
  return statuses[status]?.sentence ?? ''
}
