/**
 * Whether the database holds what was acknowledged: every acknowledged message exactly once, taken by
 * exactly one step, in an order that no user can contradict, with versions 1..n. Pure; reads what plain
 * SQL found, so the measured program has no say in it.
 *
 * Order: of two messages of one user, if the first was acknowledged before the second was sent, it is the
 * earlier step. Requests that overlapped in time may stand either way.
 */
import { toMessageSid, toUser } from '../load/identities.ts'
import type { Series } from '../load/identities.ts'
import type { LoadResult } from '../load/send-closed-loop.ts'
import type { StoredConversation, StoredMessage } from '../stacks/stack.ts'

export type Stored = {
  readonly messages: readonly StoredMessage[]
  readonly conversations: readonly StoredConversation[]
}

/** What is wrong, one sentence each; empty when nothing is. At most ten of a kind are told. */
export function findWrong(series: Series, load: LoadResult, stored: Stored): readonly string[] {
  const indexOf = new Map(Array.from(load.users, (_, index) => [toMessageSid(series, index), index]))
  return [
    ...findFailures(load),
    ...findMissingAndRepeated(series, load, stored.messages),
    ...findForeign(series, load, stored.messages, indexOf),
    ...findDisorder(load, stored.messages, indexOf),
    ...findGaps(stored.conversations),
  ]
}

const toldMax = 10

function findFailures({ failures }: LoadResult): readonly string[] {
  return Object.entries(failures).map(([answer, count]) => `${count} requests were answered with ${answer}`)
}

function findMissingAndRepeated(
  series: Series,
  load: LoadResult,
  messages: readonly StoredMessage[],
): readonly string[] {
  const counts = new Map<string, number>()
  for (const { providerId } of messages) counts.set(providerId, (counts.get(providerId) ?? 0) + 1)
  const wrong: string[] = []
  for (const [index, acknowledgedAt] of load.acknowledgedAtMs.entries()) {
    const sid = toMessageSid(series, index)
    const count = counts.get(sid) ?? 0
    if (count > 1) wrong.push(`${sid} is stored ${count} times`)
    else if (count === 0 && !Number.isNaN(acknowledgedAt)) wrong.push(`${sid} was acknowledged and is not stored`)
  }
  return wrong.slice(0, toldMax)
}

/** Stored, but under another user, without a step, or never sent. */
function findForeign(
  series: Series,
  load: LoadResult,
  messages: readonly StoredMessage[],
  indexOf: ReadonlyMap<string, number>,
): readonly string[] {
  const wrong: string[] = []
  for (const { providerId, user, version } of messages) {
    const index = indexOf.get(providerId)
    if (index === undefined) wrong.push(`${providerId} is stored and was never sent`)
    else if (user !== toUser(series, load.users[index] ?? -1)) wrong.push(`${providerId} is stored under another user`)
    if (version === null) wrong.push(`${providerId} is stored, but no step took it`)
  }
  return wrong.slice(0, toldMax)
}

/** `messages` come in the order of their steps. */
function findDisorder(
  load: LoadResult,
  messages: readonly StoredMessage[],
  indexOf: ReadonlyMap<string, number>,
): readonly string[] {
  const wrong: string[] = []
  let user = ''
  let latest = { sentAt: -Infinity, providerId: '' }
  for (const message of messages) {
    const index = indexOf.get(message.providerId)
    if (index === undefined) continue
    if (message.user !== user) {
      ;({ user } = message)
      latest = { sentAt: -Infinity, providerId: '' }
    }
    const acknowledgedAt = load.acknowledgedAtMs[index] ?? Number.NaN
    if (latest.sentAt > acknowledgedAt) {
      wrong.push(`${latest.providerId} was sent after ${message.providerId} was acknowledged, and stands before it`)
    }
    const sentAt = load.sentAtMs[index] ?? Number.NaN
    if (sentAt > latest.sentAt) latest = { sentAt, providerId: message.providerId }
  }
  return wrong.slice(0, toldMax)
}

function findGaps(conversations: readonly StoredConversation[]): readonly string[] {
  return conversations
    .filter(({ version, steps, firstStep, lastStep }) => steps !== version || firstStep !== 1 || lastStep !== version)
    .map(({ conversationId, version, steps }) => `${conversationId} has version ${version} and ${steps} steps`)
    .slice(0, toldMax)
}
