/**
 * Calls of a store that a seed makes up: mostly right ones, with every mistake among them that the SQL functions
 * know an answer to. They are made of what the simulated store holds, and asked of it and of a real one.
 */
import type {
  CommandRecord,
  CommitBatch,
  ConversationCommit,
  DeliveryRecord,
  EffectUpdate,
  OwnedPartition,
  ParkedEvent,
  SessionCommit,
  SessionNotice,
  SessionRequest,
} from '../../../src/actors/ports.ts'
import { deliveryStatuses } from '../../../src/machines/events.ts'
import { isClosed, statuses } from '../../../src/machines/status.ts'
import type { Status } from '../../../src/machines/status.ts'
import {
  at,
  batchOf,
  commitOf,
  conversationSteps,
  inbound,
  newEffect,
  newSession,
  nextId,
  noticeOf,
  opening,
  outbound,
  parkedEvent,
} from '../../infra/supabase/batches.ts'
import type { Deployment, TestSession } from '../../infra/supabase/batches.ts'
import type { SeededRandom } from '../engine/random.ts'
import { mayFollow } from '../store/guards.ts'
import type { SessionRow, Tables } from '../store/tables.ts'

export const nodeIds = ['a', 'b', 'c'] as const
/** Long enough never to run out by itself while a comparison lasts. */
export const leaseMs = 600_000

export class RandomCalls {
  readonly held = new Map<string, readonly OwnedPartition[]>(nodeIds.map((nodeId) => [nodeId, []]))
  readonly sent: CommitBatch[] = []
  readonly #random: SeededRandom
  readonly #tables: Tables
  readonly #deployment: Deployment
  #sequence = 0
  #messages = 0

  constructor(random: SeededRandom, tables: Tables, deployment: Deployment) {
    this.#random = random
    this.#tables = tables
    this.#deployment = deployment
  }

  /** Mostly one that owns something. */
  nodeId(): string {
    const owners = this.#tables.partitions.flatMap(({ owner }) => owner ?? [])
    return owners.length > 0 && this.#random.chance(0.9) ? this.#random.pick(owners) : this.#random.pick(nodeIds)
  }

  /** What a node owns; at times what it believes, an epoch too old, or everything that anybody has. */
  owned(nodeId: string): readonly OwnedPartition[] {
    const random = this.#random
    const { partitions } = this.#tables
    const own = partitions.filter(({ owner }) => owner === nodeId).map(({ partition, epoch }) => ({ partition, epoch }))
    if (random.chance(0.85)) return own
    if (random.chance(0.4)) return this.held.get(nodeId) ?? []
    return random.chance(0.5)
      ? own.map(({ partition, epoch }) => ({ partition, epoch: Math.max(0, epoch - 1) }))
      : partitions.map(({ partition, epoch }) => ({ partition, epoch }))
  }

  batch(nodeId: string): CommitBatch {
    const random = this.#random
    const again = this.sent.at(-1)
    if (again !== undefined && random.chance(0.15)) return random.chance(0.8) ? again : random.pick(this.sent)
    const owned = this.owned(nodeId)
    const sessions = Array.from({ length: random.int(0, 4) }, () => this.#session(owned))
    const unique = [...new Map(sessions.map((session) => [session.sessionId, session])).values()]
    const foreign = random.chance(0.05) ? [parkedEvent(this.#next(), { kind: 'foreign' })] : []
    const batch = batchOf(nodeId, owned, unique, { leaseMs })
    const partitions = batch.partitions.map((each) => ({ ...each, parked: foreign }))
    const made = { ...batch, partitions: random.chance(0.95) ? partitions : partitions.slice(1) }
    this.sent.push(made)
    return made
  }

  starts(): { effectId: string; partition: number; sessionId: string }[] {
    const random = this.#random
    const effects = [...this.#tables.effects.values()]
      .filter(({ status }) => status === 'pending' || random.chance(0.1))
      .slice(-8)
      .filter(() => random.chance(0.5))
    return effects.map(({ effectId, partition, sessionId }) => ({
      effectId: random.chance(0.95) ? effectId : `${effectId}0`,
      partition: random.chance(0.95) ? partition : random.int(0, 3),
      sessionId,
    }))
  }

  requests(): SessionRequest[] {
    const sessions = [...this.#tables.sessions.values()].filter(() => this.#random.chance(0.5)).slice(0, 6)
    const known = sessions.map(({ sessionKey, partition }) => ({
      sessionKey,
      partition,
      duplicateKeys: Array.from({ length: 3 }, () =>
        this.#random.pick([`SM${this.#random.int(1, this.#messages + 3)}`, `command:C${this.#random.int(1, 40)}`]),
      ),
    }))
    const stranger = { sessionKey: 'whatsapp_3A_2B14155238886.nobody', partition: 0, duplicateKeys: ['SM1'] }
    return this.#random.chance(0.3) ? [...known, stranger] : known
  }

  #next(): number {
    this.#sequence += 1
    return this.#sequence
  }

  #session(owned: readonly OwnedPartition[]): SessionCommit {
    const random = this.#random
    const isOurs = ({ partition }: SessionRow): boolean => owned.some((each) => each.partition === partition)
    const stored = [...this.#tables.sessions.values()].filter((session) => isOurs(session) || random.chance(0.03))
    if (stored.length === 0 || random.chance(0.15)) return this.#newSession(owned)
    return this.#nextCommit(random.pick(stored))
  }

  #newSession(owned: readonly OwnedPartition[]): SessionCommit {
    const random = this.#random
    const partition = owned.length > 0 && random.chance(0.9) ? random.pick(owned).partition : random.int(0, 3)
    const isSms = random.chance(0.3)
    const made = newSession(this.#deployment, partition)
    const created = isSms
      ? { ...made.created, channelId: this.#deployment.secondChannelId, businessAddress: 'sms:+14155238887' }
      : made.created
    const session = { ...made, created }
    return opening(session, this.#next(), {
      messages: [this.#inbound(session)],
      effects: [newEffect(session, 1, 0, { speakerToken: random.int(0, 1) })],
      speakerToken: 1,
    })
  }

  #inbound(session: TestSession) {
    this.#messages += 1
    const isOld = this.#random.chance(0.1)
    return inbound(session, `SM${isOld ? this.#random.int(1, this.#messages) : this.#messages}`)
  }

  #nextCommit(row: SessionRow): SessionCommit {
    const random = this.#random
    const session = this.#toTestSession(row)
    const sequence = random.chance(0.93) ? this.#next() : random.int(0, this.#sequence)
    const conversations = this.#steps(row)
    const last = conversations.at(-1)
    const effects =
      last === undefined || !random.chance(0.5)
        ? []
        : [0, 1].map((index) => {
            const message = { status: random.pick(['pending', 'pending', 'running'] as const), messageId: null }
            return newEffect({ ...session, conversationId: last.conversationId }, last.version, index, {
              ...message,
              kind: random.pick(['sendMessage', 'sendMessage', 'draftReply']),
              speakerToken: row.speakerToken - random.int(0, 1),
              nextAttemptAt: random.chance(0.3) ? at + random.int(0, 9) : null,
            })
          })
    if (last !== undefined) effects.push(...this.#resends(row))
    const reply = outbound(session, { body: 'reply' })
    const [first, ...others] = effects
    return commitOf(session, sequence, {
      partition: random.chance(0.97) ? row.partition : random.int(0, 3),
      created: random.chance(0.98) ? null : session.created,
      conversationId: last?.conversationId ?? row.conversationId,
      conversations,
      messages: [...(random.chance(0.6) ? [this.#inbound(session)] : []), ...(first === undefined ? [] : [reply])],
      effects: first === undefined ? [] : [{ ...first, messageId: reply.messageId }, ...others],
      effectUpdates: this.#updates(row),
      deliveries: this.#deliveries(),
      commands: this.#commands(row),
      parked: random.chance(0.05) ? [this.#parked()] : [],
      quarantined: random.chance(0.05),
      optedOut: random.chance(0.08),
      notices: this.#notices(row),
      speakerToken: row.speakerToken + (random.chance(0.15) ? 1 : 0),
      lastInboundAt: random.chance(0.9) ? Date.now() : Date.now() - 25 * 3_600_000,
    })
  }

  #toTestSession({
    sessionId,
    partition,
    tenantId,
    channelId,
    businessAddress,
    userKey,
    conversationId,
  }: SessionRow): TestSession {
    return {
      sessionId,
      partition,
      created: { tenantId, channelId, businessAddress, userKey },
      conversationId: conversationId ?? nextId(),
    }
  }

  /** Steps of the newest conversation, at times of a stale version, a forbidden status or with a gap. */
  #steps(row: SessionRow): ConversationCommit[] {
    const random = this.#random
    const stored = row.conversationId === null ? undefined : this.#tables.conversations.get(row.conversationId)
    if (stored === undefined || random.chance(0.25)) return []
    const isOpen = stored.closedAt === null
    if ((!isOpen && random.chance(0.7)) || random.chance(0.03)) return [this.#openAnother(stored.conversationId)]
    const through: Status[] = []
    let from: Status = stored.status
    for (let left = random.int(1, 3); left > 0; left -= 1) {
      const allowed = statuses.filter(
        (to) => mayFollow(from, to) && (isOpen ? !isClosed(to) || random.chance(0.2) : to !== from),
      )
      const to = random.chance(0.98) && allowed.length > 0 ? random.pick(allowed) : random.pick(statuses)
      through.push(to)
      from = to
      if (isClosed(to)) break
    }
    const baseVersion = random.chance(0.94) ? stored.version : Math.max(1, stored.version + random.pick([-1, 1]))
    const steps = conversationSteps({ conversationId: stored.conversationId }, baseVersion, stored.status, through, {
      nextTimerAt: random.chance(0.8) ? at + random.int(0, 1_000) : null,
    })
    const gapped = random.chance(0.01) ? { ...steps, journal: steps.journal.slice(1) } : steps
    return isClosed(from) && isOpen && random.chance(0.4)
      ? [gapped, this.#openAnother(stored.conversationId)]
      : [gapped]
  }

  #openAnother(previousId: string): ConversationCommit {
    return conversationSteps({ conversationId: nextId() }, 0, null, ['PENDING'], {
      opened: { previousId, openedAt: at },
    })
  }

  /** Of a send of the session, of one that was sent again, and of none. */
  #resends({ sessionId, partition: _partition, conversationId }: SessionRow) {
    const random = this.#random
    const sends = [...this.#tables.effects.values()].filter((effect) => effect.sessionId === sessionId)
    if (sends.length === 0 || conversationId === null || !random.chance(0.3)) return []
    const { effectId } = random.pick(sends)
    const session = { conversationId } as TestSession
    const firstId = effectId.split(':').slice(0, 3).join(':')
    const number = random.int(1, 3)
    if (random.chance(0.7)) {
      return [newEffect(session, 1, 0, { effectId: `${firstId}:${number}`, params: null, speakerToken: 0 })]
    }
    return [number, number + 1].map((piece) =>
      newEffect(session, 1, 0, { effectId: `${firstId}:${piece}`, params: { body: `piece ${piece}` } }),
    )
  }

  #updates(row: SessionRow): EffectUpdate[] {
    const random = this.#random
    const own = [...this.#tables.effects.values()].filter(({ sessionId }) => sessionId === row.sessionId).slice(-5)
    return own.flatMap(({ effectId, attempts }) => {
      if (!random.chance(0.4)) return []
      const status = random.pick(['done', 'done', 'failed', 'cancelled', 'pending', 'uncertain', 'running'] as const)
      const providerId = status === 'done' ? `SMout${random.int(1, 500)}` : null
      return [{ effectId, status, attempts, nextAttemptAt: null, outcome: { status }, providerId }]
    })
  }

  #deliveries(): DeliveryRecord[] {
    const random = this.#random
    if (!random.chance(0.2)) return []
    const effect = [...this.#tables.effects.values()].at(-1)
    const status = random.pick(deliveryStatuses)
    return [
      {
        providerId: `SMout${random.int(1, 60)}`,
        effectId: random.chance(0.5) ? (effect?.effectId ?? null) : null,
        status,
        errorCode: status === 'failed' ? '30008' : null,
        raw: { status },
        at,
      },
    ]
  }

  #commands({ conversationId }: SessionRow): CommandRecord[] {
    const random = this.#random
    if (conversationId === null || !random.chance(0.1)) return []
    const outcome = random.pick(['applied', 'refused', 'stale'] as const)
    const reason = outcome === 'applied' ? null : 'no'
    return [{ commandId: `C${random.int(1, 40)}`, conversationId, outcome, status: null, version: null, reason, at }]
  }

  #notices({ sessionId }: SessionRow): SessionNotice[] {
    const random = this.#random
    if (!random.chance(0.25)) return []
    const own = [...this.#tables.effects.values()].filter((effect) => effect.sessionId === sessionId)
    const kinds = ['opted-out', 'opted-in', 'opted-in', 'window-closed', 'sender-paused'] as const
    const moment = Date.now() - random.pick([0, 60_000, 3_600_000])
    return Array.from({ length: random.int(1, 2) }, () => {
      const kind = random.pick(kinds)
      // Over before the comparison asks again: the two clocks differ by milliseconds.
      const pauseMs = kind === 'sender-paused' ? -3_600_000 : null
      const effectId = random.chance(0.4) && own.length > 0 ? random.pick(own).effectId : null
      const source = random.pick(['message', 'response', 'callback'] as const)
      return noticeOf(kind, { source, effectId, pauseMs, code: '63016', providerId: 'SMx', at: moment })
    })
  }

  #parked(): ParkedEvent {
    return parkedEvent(this.#random.chance(0.8) ? this.#next() : this.#random.int(1, this.#sequence + 1))
  }
}
