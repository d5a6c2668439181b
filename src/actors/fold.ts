/**
 * The uncommitted steps of one session, folded into what one commit writes. Events that arrive while a
 * commit is in flight start the next fold; a fold that has left is never changed again.
 *
 * 1. A conversation stands once in a fold: the first step gives the base version, the last its row.
 * 2. An effect that was wanted and dropped within one fold is written as it ended: it never starts.
 * 3. `entries` are the raw causes, kept until the commit: after `stale` they are decided anew.
 */
import { toCommandKey } from './entry.ts'
import type { Entry } from './entry.ts'
import type {
  CommandRecord,
  ConversationCommit,
  DeliveryRecord,
  Effect,
  EffectUpdate,
  IdentityRecord,
  JournalEntry,
  MessageRecord,
  ParkedEvent,
  SessionCommit,
  SessionNotice,
} from './ports.ts'
import type { SendFailure } from './alarms.ts'
import type { Json } from '../machines/json.ts'
import { toNextTimer } from './session-state.ts'
import type { ConversationState, SessionState } from './session-state.ts'
import { isClosed } from '../machines/status.ts'

type FoldedConversation = {
  readonly baseVersion: number
  readonly opened: ConversationCommit['opened']
  readonly journal: JournalEntry[]
  newest: ConversationState
}

export class Fold {
  readonly entries: Entry[] = []
  readonly conversations = new Map<string, FoldedConversation>()
  readonly messages: MessageRecord[] = []
  readonly effects = new Map<string, Effect>()
  readonly effectUpdates = new Map<string, EffectUpdate>()
  readonly deliveries: DeliveryRecord[] = []
  readonly commands: CommandRecord[] = []
  readonly parked: ParkedEvent[] = []
  readonly notices: SessionNotice[] = []
  /** Told to the people who run Duologue, after the commit. */
  readonly failures: SendFailure[] = []
  readonly identities: IdentityRecord[] = []
  readonly emitted: Json[] = []
  steps = 0
  /** One of the steps is a migration to a newer chart. */
  migrates = false

  get isEmpty(): boolean {
    return (
      this.steps === 0 &&
      this.messages.length === 0 &&
      this.effectUpdates.size === 0 &&
      this.deliveries.length === 0 &&
      this.commands.length === 0 &&
      this.notices.length === 0 &&
      this.parked.length === 0
    )
  }

  /** It takes the user's consent away. */
  get withdraws(): boolean {
    return this.notices.some(({ kind }) => kind === 'opted-out')
  }

  /** `before` is the conversation as the previous fold (or the store) left it; null when it opens here. */
  addStep(
    before: ConversationState | null,
    after: ConversationState,
    entry: JournalEntry | null,
    opened: ConversationCommit['opened'],
  ): void {
    let folded = this.conversations.get(after.conversationId)
    if (folded === undefined) {
      folded = { baseVersion: before?.version ?? 0, opened, journal: [], newest: after }
      this.conversations.set(after.conversationId, folded)
    }
    folded.newest = after
    if (entry !== null) folded.journal.push(entry)
    this.steps += 1
  }

  updateEffect(update: EffectUpdate): void {
    const own = this.effects.get(update.effectId)
    if (own === undefined) this.effectUpdates.set(update.effectId, update)
    else this.effects.set(update.effectId, { ...own, status: update.status, nextAttemptAt: update.nextAttemptAt })
  }

  /** Takes over what one decided entry writes. */
  absorb(decided: Fold): void {
    for (const [conversationId, { baseVersion, opened, journal, newest }] of decided.conversations) {
      const folded = this.conversations.get(conversationId)
      if (folded === undefined) this.conversations.set(conversationId, { baseVersion, opened, journal, newest })
      else {
        folded.newest = newest
        folded.journal.push(...journal)
      }
    }
    for (const [effectId, effect] of decided.effects) this.effects.set(effectId, effect)
    for (const update of decided.effectUpdates.values()) this.updateEffect(update)
    this.messages.push(...decided.messages)
    this.deliveries.push(...decided.deliveries)
    this.commands.push(...decided.commands)
    this.parked.push(...decided.parked)
    this.notices.push(...decided.notices)
    this.failures.push(...decided.failures)
    this.identities.push(...decided.identities)
    this.emitted.push(...decided.emitted)
    this.steps += decided.steps
    this.migrates ||= decided.migrates
  }

  hasDuplicateKey(key: string): boolean {
    return (
      this.messages.some(({ providerId }) => providerId === key) ||
      this.commands.some(({ commandId }) => toCommandKey(commandId) === key)
    )
  }

  /** What the store writes; `state` is the session after this fold's last step. */
  toCommit(state: SessionState, partition: number): SessionCommit {
    const { channel, conversation } = state
    const { tenantId, channelId, businessAddress } = channel
    return {
      sessionId: state.sessionId,
      partition,
      created: state.isNew ? { tenantId, channelId, businessAddress, userKey: state.userKey } : null,
      position: state.position,
      replyAddress: state.replyAddress,
      lastInboundAt: state.lastInboundAt,
      speaker: state.speaker,
      speakerToken: state.speakerToken,
      optedOut: state.optedOut,
      clockOffsetMs: state.clockOffsetMs,
      quarantined: state.quarantined,
      identityVersion: state.identityVersion,
      conversationId: conversation?.conversationId ?? null,
      conversations: [...this.conversations.values()].map((folded) => toConversationCommit(folded, state)),
      messages: this.messages,
      effects: [...this.effects.values()],
      effectUpdates: [...this.effectUpdates.values()],
      deliveries: this.deliveries,
      commands: this.commands,
      parked: this.parked,
      notices: this.notices,
      identities: this.identities,
    }
  }
}

function toConversationCommit(folded: FoldedConversation, state: SessionState): ConversationCommit {
  const { newest, baseVersion, opened, journal } = folded
  const { conversationId, machine, machineVersion, version, notableVersion, status, hash, timers, updatedAt } = newest
  const next = toNextTimer({ ...state, conversation: newest })
  return {
    conversationId,
    machine,
    machineVersion,
    opened,
    baseVersion,
    version,
    notableVersion,
    status,
    snapshot: JSON.parse(newest.snapshot) as Json,
    hash,
    timers,
    nextTimerAt: next === null ? null : next.dueAt - state.clockOffsetMs,
    updatedAt,
    closedAt: isClosed(status) ? updatedAt : null,
    journal,
  }
}
