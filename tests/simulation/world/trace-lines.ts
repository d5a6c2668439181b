/** What a commit did, for people who replay a seed. */
import type { CommitBatch, CommitOutcome, SessionCommit } from '../../../src/actors/ports.ts'

export function toTraceLines(
  { nodeId, partitions }: CommitBatch,
  accepted: readonly SessionCommit[],
  { sessions, partitions: outcomes }: CommitOutcome,
): string[] {
  const cursors = partitions.map(
    ({ partition, cursor }) => `${partition} ${outcomes.get(partition)} cursor ${cursor?.sequence ?? 'stays'}`,
  )
  const refused = [...sessions].flatMap(([sessionId, { kind }]) =>
    kind === 'committed' ? [] : [`${sessionId} ${kind}`],
  )
  return [`  ${nodeId} commits [${cursors.join(', ')}] ${refused.join(' ')}`, ...accepted.flatMap(toSessionLines)]
}

function toSessionLines({
  sessionId,
  conversations,
  effects,
  effectUpdates,
  deliveries,
  position,
  quarantined,
}: SessionCommit): string[] {
  return [
    `    session ${sessionId.slice(-4)} at ${position?.sequence}${quarantined ? ' quarantined' : ''}${deliveries.map((each) => ` callback ${each.providerId} ${each.status}`).join('')}`,
    ...conversations.map(
      ({ conversationId, version, status, journal }) =>
        `      ${conversationId.slice(-4)} v${version} ${status}: ${journal.map(({ event }) => toText(event)).join(', ')}`,
    ),
    ...effects.map(({ effectId, kind, status }) => `      wants ${effectId} ${kind} ${status}`),
    ...effectUpdates.map(({ effectId, status, attempts }) => `      ${effectId} is ${status} (${attempts})`),
  ]
}

function toText(event: unknown): string {
  const { type, body } = event as { readonly type: string; readonly body?: string }
  return body === undefined ? type : `${type} "${body}"`
}
