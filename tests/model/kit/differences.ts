/** What the rows of a session say that the oracle does not, as sentences; none when both agree. */
import { isClosed } from '../../../src/machines/status.ts'
import { toOperator } from './oracle.ts'
import type { ConversationView, Oracle } from './oracle.ts'
import { toText } from './to-text.ts'
import type { Seen, SeenConversation } from './world.ts'

export function findDifferences(oracle: Oracle, seen: Seen): readonly string[] {
  const views = oracle.views()
  const { conversations } = seen
  if (views.length !== conversations.length) {
    return [`there are ${conversations.length} conversations, the machine opened ${views.length}`]
  }
  const speaker = views.at(-1)?.speaker ?? seen.speaker
  return [
    ...compare('the session is quarantined', seen.isQuarantined, false),
    ...compare('the speaker', seen.speaker, speaker),
    ...compare(
      'the messages to the user',
      seen.outbound,
      oracle.wanted().map(({ author, body }) => ({ author, body })),
    ),
    ...compare('opted out', seen.optedOut, oracle.optedOut()),
    ...views.flatMap((view, index) => {
      const stored = conversations[index]
      return stored === undefined ? [] : findConversationDifferences(view, stored, seen, index === views.length - 1)
    }),
    ...conversations.flatMap(({ previousId }, index) =>
      compare('the previous conversation', previousId, conversations[index - 1]?.id ?? null),
    ),
  ]
}

function findConversationDifferences(
  view: ConversationView,
  stored: SeenConversation,
  seen: Seen,
  isCurrent: boolean,
): readonly string[] {
  const journal = seen.journal
    .filter(({ conversationId }) => conversationId === stored.id)
    .map(({ event, toStatus, reason }) => ({ type: event['type'], toStatus, reason }))
  const timers = Object.fromEntries(Object.entries(stored.timers).map(([timerId, { dueAt }]) => [timerId, dueAt]))
  const nextDueAt = Math.min(Infinity, ...Object.values(view.timers))
  const nextTimerAt = nextDueAt === Infinity ? null : nextDueAt - seen.clockOffsetMs
  return [
    ...compare('the status', stored.status, view.status),
    ...compare('the version', stored.version, view.version),
    ...compare('the timers', timers, view.timers),
    ...compare('the state', stored.snapshot['value'], view.value),
    ...compare('the context', stored.snapshot['context'], view.context),
    ...compare('the journal', journal, view.journal),
    ...compare('closed', stored.isClosed, isClosed(view.status)),
    ...(isCurrent ? compare('the assigned operator', stored.assignedOperator, toOperator(view.speaker)) : []),
    ...(isCurrent ? compare('the next timer', stored.nextTimerAt, nextTimerAt) : []),
  ]
}

function compare(what: string, stored: unknown, expected: unknown): readonly string[] {
  const [got, wanted] = [toText(stored), toText(expected)]
  return got === wanted ? [] : [`${what}: the service has ${got}, the machine ${wanted}`]
}
