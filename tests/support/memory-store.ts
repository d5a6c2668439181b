/**
 * The store in memory: the outcomes of the SQL functions as far as the host can see them. It is what fast
 * tests of the host write to; the promises themselves are tested on PostgreSQL and PGlite.
 */
import type {
  Clock,
  CommandRecord,
  CommitBatch,
  ConversationCommit,
  Effect,
  JournalEntry,
  LoadedSession,
  MachineNeed,
  MachineVersions,
  MessageRecord,
  ParkedEvent,
  ParkedQueue,
  Position,
  SessionCommit,
  SessionOutcome,
  StartOutcome,
  Store,
} from '../../src/actors/ports.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import { toCommandKey } from '../../src/actors/entry.ts'
import { StoreRefused } from '../../src/actors/ports.ts'
import { toSessionKey, toToken } from '../../src/actors/session-key.ts'
import { findUnstorable } from './storable.ts'

export type MemoryStore = Store & {
  readonly conversations: Map<string, ConversationCommit & { journal: JournalEntry[] }>
  readonly messages: MessageRecord[]
  readonly effects: Map<string, Effect & { outcome?: unknown }>
  readonly parked: MemoryParked[]
  readonly commands: Map<string, CommandRecord>
  readonly batches: CommitBatch[]
  cursor(): Position
  /** The next commits are answered by this first; it may throw. */
  beforeCommit: ((batch: CommitBatch) => void | Promise<void>) | null
  /** Called after a commit was written and before it is answered; it may throw: the answer is lost. */
  afterCommit: ((batch: CommitBatch) => void | Promise<void>) | null
  /** Another owner takes the partition. */
  usurp(): void
  /** Somebody else commits a step of this conversation. */
  bumpVersion(conversationId: string): void
}

export type MemoryParked = ParkedEvent & { readonly sessionId: string | null; readonly quarantineId: string }

type Options = { readonly clock: Clock; readonly businessAddress: string; readonly settings?: JsonObject }

export function createMemoryStore({ clock, businessAddress, settings = {} }: Options): MemoryStore {
  const channel = { tenantId: 'tenant', channelId: 'channel', businessAddress, settings }
  const sessions = new Map<string, SessionCommit & { userKey: string }>()
  const conversations: MemoryStore['conversations'] = new Map()
  const messages: MessageRecord[] = []
  const effects: MemoryStore['effects'] = new Map()
  const deliveries: { effectId: string | null; providerId: string }[] = []
  const parked: MemoryParked[] = []
  const nodes = new Map<string, MachineVersions>()
  let needs: MachineNeed | null = null
  const commands: MemoryStore['commands'] = new Map()
  const batches: CommitBatch[] = []
  const answered = new Map<string, Awaited<ReturnType<Store['commitSteps']>>>()
  let owner: { nodeId: string; epoch: number } | null = null
  let epoch = 0
  let cursor: Position = { incarnation: '', sequence: 0 }

  const keyOf = (session: { userKey: string }): string => toSessionKey(businessAddress, session.userKey)
  const sessionByKey = (key: string) => [...sessions.values()].find((session) => keyOf(session) === key)

  function judge(session: SessionCommit): SessionOutcome {
    if ((session.created === null) !== sessions.has(session.sessionId)) return { kind: 'stale' }
    if (session.created !== null && sessionByKey(keyOf(session.created)) !== undefined) return { kind: 'stale' }
    for (const { conversationId, baseVersion } of session.conversations) {
      if ((conversations.get(conversationId)?.version ?? 0) !== baseVersion) return { kind: 'stale' }
    }
    const keys = [
      ...session.messages.map(({ providerId }) => providerId),
      ...session.commands.map(({ commandId }) => toCommandKey(commandId)),
    ]
    const known = keys.filter((key) => key !== null && isKnown(key)) as string[]
    return known.length > 0 ? { kind: 'duplicate', duplicateKeys: known } : { kind: 'committed' }
  }

  function isKnown(key: string): boolean {
    return messages.some(({ providerId }) => providerId === key) || commands.has(key.replace('command:', ''))
  }

  function write(session: SessionCommit): void {
    const userKey = session.created?.userKey ?? sessions.get(session.sessionId)?.userKey ?? ''
    sessions.set(session.sessionId, { ...session, userKey })
    for (const conversation of session.conversations) {
      const journal = [...(conversations.get(conversation.conversationId)?.journal ?? []), ...conversation.journal]
      conversations.set(conversation.conversationId, { ...conversation, journal })
    }
    messages.push(...session.messages)
    for (const effect of session.effects) effects.set(effect.effectId, effect)
    for (const update of session.effectUpdates) {
      const effect = effects.get(update.effectId)
      if (effect !== undefined) effects.set(update.effectId, { ...effect, ...update })
    }
    deliveries.push(...session.deliveries)
    for (const command of session.commands) commands.set(command.commandId, command)
    for (const event of session.parked) park(event, session.sessionId)
  }

  /** A position is one row; what waits no more stays as it is. */
  function park(event: ParkedEvent, sessionId: string | null): void {
    const index = parked.findIndex(
      ({ position, sessionId: parkedFor }) => parkedFor === sessionId && isSame(position, event.position),
    )
    const row = parked[index]
    const quarantineId = `00000000-0000-7000-8000-${String(parked.length + 1).padStart(12, '0')}`
    if (row === undefined) parked.push({ ...event, sessionId, quarantineId })
    else if (isWaiting(row) && event.kind !== 'waiting') {
      parked[index] = { ...row, kind: event.kind, error: event.error ?? row.error }
    }
  }

  function queueOf(sessionId: string): ParkedQueue {
    const events = parked.filter((row) => row.sessionId === sessionId && isWaiting(row)).toSorted(byMoment)
    return { events: events.slice(0, parkedPerLoad), count: events.length }
  }

  /** Of the versions that this node has announced, those that all nodes know. */
  function commonVersions(announced: MachineVersions): MachineVersions {
    return Object.fromEntries(
      Object.entries(announced).map(([machine, versions]) => [
        machine,
        versions.filter((version) => [...nodes.values()].every((known) => known[machine]?.includes(version) ?? true)),
      ]),
    )
  }

  /** The owner gives the partition away when it cannot run what is in it and another node can. */
  function isForOthers(nodeId: string): boolean {
    const knows = (known: MachineVersions | undefined): boolean =>
      needs !== null && known?.[needs.machine]?.includes(needs.version) === true
    return needs !== null && !knows(nodes.get(nodeId)) && [...nodes.values()].some(knows)
  }

  return {
    conversations,
    messages,
    effects,
    parked,
    commands,
    batches,
    beforeCommit: null,
    afterCommit: null,
    cursor: () => cursor,
    usurp() {
      epoch += 1
      owner = { nodeId: 'usurper', epoch }
    },
    bumpVersion(conversationId) {
      const conversation = conversations.get(conversationId)
      if (conversation !== undefined) {
        conversations.set(conversationId, { ...conversation, version: conversation.version + 1 })
      }
    },
    async claimPartitions({ nodeId, takeAll, machines, held }) {
      if (takeAll) nodes.clear()
      nodes.set(nodeId, machines)
      const common = commonVersions(machines)
      for (const each of held) needs = each.needs ?? needs
      if (isForOthers(nodeId)) {
        if (owner?.nodeId === nodeId) owner = null
        return { partitions: [], machines: common }
      }
      if (owner !== null && owner.nodeId !== nodeId && !takeAll) return { partitions: [], machines: common }
      // What it owns without knowing it is taken anew, like a free one.
      if (owner?.nodeId !== nodeId || !held.some((each) => each.epoch === owner?.epoch)) {
        epoch += 1
        owner = { nodeId, epoch }
      }
      return { partitions: [{ partition: 0, epoch, cursor }], machines: common }
    },
    async releasePartitions(nodeId) {
      nodes.delete(nodeId)
      if (owner?.nodeId === nodeId) owner = null
    },
    async loadSessions(_partitions, requests) {
      const loaded: LoadedSession[] = []
      for (const { sessionKey } of requests) {
        const row = sessionByKey(sessionKey)
        if (row === undefined) continue
        const conversation = row.conversationId === null ? undefined : conversations.get(row.conversationId)
        const unsettled = [...effects.values()].filter(
          ({ effectId, status }) =>
            ['pending', 'running', 'uncertain'].includes(status) &&
            [...conversations.keys()].some(
              (id) => effectId.startsWith(id) && sessionOf(id)?.sessionId === row.sessionId,
            ),
        )
        loaded.push({
          ...row,
          ...channel,
          sessionKey,
          conversation: conversation ?? null,
          effects: unsettled,
          parked: row.quarantined ? queueOf(row.sessionId) : null,
        })
      }
      const isOurs = requests.some(({ sessionKey }) => sessionKey.split('.')[0] === toToken(businessAddress))
      const known = requests.flatMap(({ sessionKey, duplicateKeys }) =>
        duplicateKeys.filter(isKnown).map((key) => `${sessionKey} ${key}`),
      )
      return {
        sessions: loaded,
        channels: isOurs ? [{ ...channel, businessToken: toToken(businessAddress) }] : [],
        knownKeys: known,
      }
    },
    async loadDue({ of, horizon }) {
      const found = [...sessions.values()].flatMap((session) => {
        const conversation = session.conversationId === null ? undefined : conversations.get(session.conversationId)
        const wakeAt = of === 'timers' ? (conversation?.nextTimerAt ?? Infinity) : 0
        const isHalfReleased = session.quarantined && queueOf(session.sessionId).events[0]?.kind === 'waiting'
        const hasEffects = [...effects.values()].some(({ status }) => status !== 'done')
        const hasWork = of === 'timers' || hasEffects || isHalfReleased
        return hasWork && wakeAt <= horizon ? [{ sessionKey: keyOf(session), partition: 0, wakeAt }] : []
      })
      return { sessions: found, next: null }
    },
    async commitSteps(batch) {
      batches.push(structuredClone(batch))
      await this.beforeCommit?.(batch)
      const unstorable = findUnstorable(batch)
      if (unstorable !== null) throw new StoreRefused(`jsonb does not take${unstorable}`)
      const known = answered.get(batch.commitId)
      if (known !== undefined) return known
      const sessionOutcomes = new Map<string, SessionOutcome>()
      const isOwner = owner?.nodeId === batch.nodeId && batch.partitions.every((each) => each.epoch === owner?.epoch)
      for (const session of batch.sessions) {
        sessionOutcomes.set(session.sessionId, isOwner ? judge(session) : { kind: 'fenced' })
        if (sessionOutcomes.get(session.sessionId)?.kind === 'committed') write(structuredClone(session))
      }
      for (const partition of isOwner ? batch.partitions : []) {
        for (const event of partition.parked) park(event, null)
        const isWhole = [...sessionOutcomes.values()].every(({ kind }) => kind === 'committed')
        if (isWhole && partition.cursor !== null) cursor = partition.cursor
      }
      const kind = isOwner ? ('committed' as const) : ('fenced' as const)
      const outcome = {
        partitions: new Map(batch.partitions.map((each) => [each.partition, kind])),
        sessions: sessionOutcomes,
      }
      if (isOwner) answered.set(batch.commitId, outcome)
      await this.afterCommit?.(batch)
      return outcome
    },
    async startEffects(nodeId, leaseMs, _partitions, wanted) {
      const outcomes = new Map<string, StartOutcome>()
      for (const { effectId, sessionId } of wanted) {
        const effect = effects.get(effectId)
        const session = sessions.get(sessionId)
        if (owner?.nodeId !== nodeId) outcomes.set(effectId, { kind: 'fenced' })
        else if (effect?.status !== 'pending') outcomes.set(effectId, { kind: 'not-pending' })
        else if (session?.optedOut === true) {
          effects.set(effectId, { ...effect, status: 'cancelled' })
          outcomes.set(effectId, { kind: 'cancelled', reason: 'opted-out' })
        } else if (session?.speakerToken !== effect.speakerToken && !isOperators(effect)) {
          effects.set(effectId, { ...effect, status: 'cancelled' })
          outcomes.set(effectId, { kind: 'cancelled', reason: 'speaker-changed' })
        } else {
          const now = clock.now()
          const attempts = effect.attempts + 1
          const running: Effect = { ...effect, status: 'running', attempts, startedAt: now, deadline: now + leaseMs }
          effects.set(effectId, running)
          outcomes.set(effectId, { kind: 'started', effect: running })
        }
      }
      return outcomes
    },
    findDelivery: async (effectId) => deliveries.find((delivery) => delivery.effectId === effectId)?.providerId ?? null,
    findKnownProviderIds: async () => new Set(),
    recentMessages: async () => messages,
    ping: async () => {},
  }

  function sessionOf(conversationId: string) {
    return [...sessions.values()].find(
      (session) =>
        session.conversations.some((conversation) => conversation.conversationId === conversationId) ||
        session.conversationId === conversationId,
    )
  }
}

function isOperators({ params }: Effect): boolean {
  return (params as { author?: string } | null)?.author === 'operator'
}

/** Small, so that tests see queues that one commit does not empty. */
const parkedPerLoad = 20

function isWaiting({ kind }: ParkedEvent): boolean {
  return kind === 'poison' || kind === 'waiting'
}

function isSame(one: Position, other: Position): boolean {
  return one.incarnation === other.incarnation && one.sequence === other.sequence
}

function byMoment(one: ParkedEvent, other: ParkedEvent): number {
  return one.at - other.at || one.position.sequence - other.position.sequence
}
