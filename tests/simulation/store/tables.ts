/** The rows of the simulated store, as the tables of supabase/migrations hold them. */
import type {
  CommandRecord,
  ConversationCommit,
  DeliveryRecord,
  Effect,
  HoldReason,
  JournalEntry,
  MachineVersions,
  MessageRecord,
  ParkedEvent,
  Position,
  SessionCommit,
  SessionNotice,
} from '../../../src/actors/ports.ts'
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { Status } from '../../../src/machines/status.ts'

export type ChannelRow = {
  readonly channelId: string
  readonly tenantId: string
  readonly businessAddress: string
  readonly businessToken: string
  /** The tenant's settings with the channel's over them. */
  readonly settings: JsonObject
}

export type PartitionRow = {
  readonly partition: number
  owner: string | null
  epoch: number
  leaseUntil: number | null
  cursor: Position
  lastCommitId: string | null
  lastCommitOutcome: Exceptions | null
}

export type Exception = { readonly kind: 'stale' } | { readonly kind: 'duplicate'; readonly duplicateKeys: string[] }
export type Exceptions = { [sessionId: string]: Exception }

export type NodeRow = {
  seenAt: number
  leaseMs: number
  isLeaving: boolean
  canRead: boolean
  machines: MachineVersions
}

export type SessionRow = {
  readonly sessionId: string
  readonly tenantId: string
  readonly channelId: string
  readonly partition: number
  readonly businessAddress: string
  readonly userKey: string
  readonly sessionKey: string
  position: Position | null
  conversationId: string | null
  replyAddress: string
  lastInboundAt: number | null
  speaker: string
  speakerToken: number
  optedOut: boolean
  clockOffsetMs: number
  isQuarantined: boolean
  windowClosedAt: number | null
  paceAt: number | null
}

/** By whom, and on which channels: the channel, or the messaging service that its settings name. */
export type OptOutRow = SessionNotice & {
  readonly optOutId: number
  readonly tenantId: string
  readonly scope: string
  readonly userKey: string
  readonly sessionId: string
  endedAt: number | null
  endedBy: string | null
}

export type ConversationRow = Omit<ConversationCommit, 'opened' | 'baseVersion' | 'snapshot' | 'timers' | 'journal'> & {
  readonly sessionId: string
  readonly partition: number
  /** JSON text. */
  readonly snapshot: string
  readonly timers: string
  readonly openedAt: number
  readonly previousId: string | null
}

export type JournalRow = JournalEntry & { readonly storedAt: number }

export type MessageRow = MessageRecord & { readonly sessionId: string; readonly channelId: string }

export type EffectRow = Effect & {
  readonly sessionId: string
  readonly partition: number
  readonly createdAt: number
  readonly outcome: Json
  readonly heldBecause: HoldReason | null
}

export type DeliveryRow = Omit<DeliveryRecord, 'raw'> & {
  readonly channelId: string
  readonly sessionId: string
  readonly raw: readonly string[]
}

export type QuarantineRow = ParkedEvent & {
  readonly quarantineId: string
  readonly partition: number
  readonly sessionId: string | null
}

export class Tables {
  readonly channels: readonly ChannelRow[]
  readonly partitions: PartitionRow[]
  readonly nodes = new Map<string, NodeRow>()
  readonly sessions = new Map<string, SessionRow>()
  readonly sessionIdByKey = new Map<string, string>()
  readonly conversations = new Map<string, ConversationRow>()
  readonly journal = new Map<string, JournalRow[]>()
  readonly messages = new Map<string, MessageRow>()
  /** By `<channel> <provider id>`. */
  readonly messageByProviderId = new Map<string, MessageRow>()
  readonly effects = new Map<string, EffectRow>()
  /** By `<channel> <provider id>`. */
  readonly deliveries = new Map<string, DeliveryRow>()
  /** By their id. */
  readonly commands = new Map<string, CommandRecord & { readonly sessionId: string }>()
  /** By `<partition> <incarnation> <sequence> <session>`. */
  readonly quarantine = new Map<string, QuarantineRow>()
  readonly optOuts: OptOutRow[] = []
  /** By channel: its sends wait until then. */
  readonly pausedUntil = new Map<string, number>()
  /** The opt-out that stopped an effect, by the effect. */
  readonly optOutBlocks = new Map<string, OptOutRow>()

  constructor(channels: readonly ChannelRow[], partitions: number) {
    this.channels = channels
    this.partitions = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      owner: null,
      epoch: 0,
      leaseUntil: null,
      cursor: { incarnation: '', sequence: 0 },
      lastCommitId: null,
      lastCommitOutcome: null,
    }))
  }

  partition(number: number): PartitionRow {
    const row = this.partitions[number]
    if (row === undefined) throw new Error(`there is no partition ${number}`)
    return row
  }

  sessionByKey(sessionKey: string): SessionRow | null {
    const sessionId = this.sessionIdByKey.get(sessionKey)
    return (sessionId === undefined ? undefined : this.sessions.get(sessionId)) ?? null
  }

  /** What waits in a session's quarantine, oldest first. */
  waitingOf(sessionId: string): QuarantineRow[] {
    return [...this.quarantine.values()]
      .filter((row) => row.sessionId === sessionId && (row.kind === 'poison' || row.kind === 'waiting'))
      .toSorted((a, b) => a.at - b.at || a.position.sequence - b.position.sequence)
  }

  conversationsOf(sessionId: string): ConversationRow[] {
    return [...this.conversations.values()].filter((conversation) => conversation.sessionId === sessionId)
  }

  putMessage(row: MessageRow): void {
    this.messages.set(row.messageId, row)
    if (row.providerId !== null) this.messageByProviderId.set(toProviderKey(row.channelId, row.providerId), row)
  }

  /** Pending, running and uncertain ones, in the order of their making. */
  unsettledEffects(sessionId: string): EffectRow[] {
    return [...this.effects.values()]
      .filter((effect) => effect.sessionId === sessionId && isUnsettled(effect))
      .toSorted(inOrderOfMaking)
  }
}

export function toProviderKey(channelId: string, providerId: string): string {
  return `${channelId} ${providerId}`
}

export function toQuarantineKey(partition: number, position: Position, sessionId: string | null): string {
  return `${partition} ${position.incarnation} ${position.sequence} ${sessionId}`
}

export function isUnsettled({ status }: Pick<Effect, 'status'>): boolean {
  return status === 'pending' || status === 'running' || status === 'uncertain'
}

export function inOrderOfMaking(a: EffectRow, b: EffectRow): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt
  if (a.conversationId !== b.conversationId) return a.conversationId < b.conversationId ? -1 : 1
  const [, aVersion = 0, aIndex = 0, aPiece = -1] = a.effectId.split(':').map(Number)
  const [, bVersion = 0, bIndex = 0, bPiece = -1] = b.effectId.split(':').map(Number)
  return aVersion - bVersion || aIndex - bIndex || aPiece - bPiece
}

/** The statuses of `duologue.closed_rank`: 0 for the open ones. */
export function toClosedRank(status: Status | null): number {
  return ['EXPIRED', 'AGENT_CLOSED', 'SUPPORT_CLOSED', 'USER_CLOSED', 'FAILED'].indexOf(status ?? '') + 1
}

export type AcceptedSession = SessionCommit & { readonly channelId: string }
