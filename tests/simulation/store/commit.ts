/** `commit_steps` of supabase/migrations in its two halves: what is judged under the lock, and what is written. */
import type {
  CommitBatch,
  CommitOutcome,
  EffectUpdate,
  SessionCommit,
  SessionOutcome,
} from '../../../src/actors/ports.ts'
import { StoreRefused } from '../../../src/actors/ports.ts'
import { toSessionKey } from '../../../src/actors/session-key.ts'
import { findBrokenRule } from './guards.ts'
import { findRefusals } from './refusals.ts'
import { isUnsettled, toProviderKey, toQuarantineKey } from './tables.ts'
import type { EffectRow, Exceptions, MessageRow, Tables } from './tables.ts'
import { writeDeliveries } from './write-deliveries.ts'
import { adoptResend, toCreatedAt, writeNotices } from './write-notices.ts'
import { findUnstorable } from '../../support/storable.ts'

export type Judgement = {
  readonly moment: number
  readonly held: ReadonlySet<number>
  readonly repeated: ReadonlySet<number>
  /** Their owner has committed since what this batch, which was given up, comes too late for. */
  readonly late: ReadonlySet<number>
  readonly exceptions: Exceptions
}

/** Owner and epoch of the locked partitions, and what of the batch cannot be committed. */
export function judge(tables: Tables, batch: CommitBatch, moment: number): Judgement {
  const owned = batch.partitions.filter(({ partition, epoch }) => {
    const row = tables.partitions[partition]
    return row !== undefined && row.epoch === epoch && row.owner === batch.nodeId
  })
  const isRepeated = (partition: number): boolean => tables.partition(partition).lastCommitId === batch.commitId
  // Ids of one owner's commits sort in the order of their making.
  const isLate = (partition: number): boolean => (tables.partition(partition).lastCommitId ?? '') > batch.commitId
  const numbers = owned.map(({ partition }) => partition)
  const held = new Set(numbers.filter((partition) => !isRepeated(partition) && !isLate(partition)))
  const repeated = new Set(numbers.filter((partition) => isRepeated(partition)))
  const late = new Set(numbers.filter((partition) => isLate(partition)))
  return { moment, held, repeated, late, exceptions: findRefusals(tables, batch, held) }
}

/** Writes all or, when a rule would be broken, nothing. Answers which sessions were written. */
export function write(tables: Tables, batch: CommitBatch, judged: Judgement): readonly SessionCommit[] {
  const { held, exceptions, moment } = judged
  const accepted = batch.sessions.filter(
    ({ sessionId, partition }) => held.has(partition) && exceptions[sessionId] === undefined,
  )
  const unstorable = findUnstorable(batch)
  if (unstorable !== null) throw new StoreRefused(`jsonb does not take${unstorable}`)
  const broken = findBrokenRule(tables, accepted)
  if (broken !== null) throw new StoreRefused(`duologue: ${broken}`)
  for (const session of accepted) writeSession(tables, session, moment, moment + batch.leaseMs)
  for (const { partition, parked } of batch.partitions) {
    if (held.has(partition)) park(tables, partition, null, parked)
  }
  for (const named of batch.partitions) if (held.has(named.partition)) writePartition(tables, batch, named, judged)
  return accepted
}

export function toOutcome(
  tables: Tables,
  batch: CommitBatch,
  { held, repeated, late, exceptions }: Judgement,
): CommitOutcome {
  const known: Exceptions = { ...exceptions }
  for (const partition of repeated) Object.assign(known, tables.partition(partition).lastCommitOutcome)
  for (const { sessionId, partition } of batch.sessions) if (late.has(partition)) known[sessionId] = { kind: 'stale' }
  const isCommitted = (partition: number): boolean =>
    held.has(partition) || repeated.has(partition) || late.has(partition)
  const toSessionOutcome = ({ sessionId, partition }: SessionCommit): SessionOutcome =>
    isCommitted(partition) ? (known[sessionId] ?? { kind: 'committed' }) : { kind: 'fenced' }
  return {
    partitions: new Map(
      batch.partitions.map(({ partition }) => [partition, isCommitted(partition) ? 'committed' : 'fenced'] as const),
    ),
    sessions: new Map(batch.sessions.map((session) => [session.sessionId, toSessionOutcome(session)] as const)),
  }
}

function writePartition(
  tables: Tables,
  batch: CommitBatch,
  { partition, cursor }: CommitBatch['partitions'][number],
  { exceptions, moment }: Judgement,
): void {
  const row = tables.partition(partition)
  const wrong = batch.sessions.flatMap((session) => {
    const exception = session.partition === partition ? exceptions[session.sessionId] : undefined
    return exception === undefined ? [] : [[session.sessionId, exception] as const]
  })
  row.leaseUntil = moment + batch.leaseMs
  row.lastCommitId = batch.commitId
  row.lastCommitOutcome = wrong.length === 0 ? null : Object.fromEntries(wrong)
  if (cursor === null || wrong.length > 0) return
  const isSameLog = row.cursor.incarnation === cursor.incarnation
  row.cursor = isSameLog ? { ...cursor, sequence: Math.max(cursor.sequence, row.cursor.sequence) } : cursor
}

function writeSession(tables: Tables, session: SessionCommit, moment: number, lease: number): void {
  writeSessionRow(tables, session)
  const stored = tables.sessions.get(session.sessionId)
  if (stored === undefined) return
  const { sessionId, channelId } = stored
  for (const { opened, baseVersion: _base, journal, snapshot, timers, ...row } of session.conversations) {
    const { conversationId } = row
    const rows = tables.journal.get(conversationId) ?? []
    rows.push(...journal.map((entry) => ({ ...entry, storedAt: moment })))
    tables.journal.set(conversationId, rows)
    const before = tables.conversations.get(conversationId)
    tables.conversations.set(conversationId, {
      ...row,
      sessionId,
      partition: stored.partition,
      snapshot: JSON.stringify(snapshot),
      timers: JSON.stringify(timers),
      openedAt: before?.openedAt ?? opened?.openedAt ?? row.updatedAt,
      previousId: before === undefined ? (opened?.previousId ?? null) : before.previousId,
    })
  }
  for (const message of session.messages) tables.putMessage({ ...message, sessionId, channelId })
  for (const wanted of session.effects) {
    const effect = adoptResend(tables, sessionId, wanted)
    if (effect === null) continue
    const isRunning = effect.status === 'running'
    const times = { deadline: isRunning ? lease : null, startedAt: isRunning ? moment : null }
    tables.effects.set(effect.effectId, {
      ...effect,
      ...times,
      sessionId,
      partition: session.partition,
      createdAt: toCreatedAt(tables, wanted, moment),
      outcome: null,
      heldBecause: null,
    })
  }
  for (const update of session.effectUpdates) writeEffectUpdate(tables, sessionId, update, moment, lease)
  writeDeliveries(tables, { sessionId, channelId }, session.deliveries)
  for (const command of session.commands) {
    // Two conversations were asked under one id: the first is the command.
    if (!tables.commands.has(command.commandId)) tables.commands.set(command.commandId, { ...command, sessionId })
  }
  park(tables, session.partition, sessionId, session.parked)
  writeNotices(tables, stored, session.notices, moment)
}

function writeSessionRow(tables: Tables, session: SessionCommit): void {
  const { sessionId, created, partition, position, conversationId, replyAddress, lastInboundAt } = session
  const { speaker, speakerToken, optedOut, clockOffsetMs, quarantined } = session
  const changing = {
    position,
    conversationId,
    replyAddress,
    lastInboundAt,
    speaker,
    speakerToken,
    optedOut,
    clockOffsetMs,
  }
  const stored = tables.sessions.get(sessionId)
  if (stored !== undefined) {
    Object.assign(stored, changing, { isQuarantined: quarantined })
    return
  }
  if (created === null) return
  const sessionKey = toSessionKey(created.businessAddress, created.userKey)
  tables.sessions.set(sessionId, {
    sessionId,
    partition,
    ...created,
    sessionKey,
    ...changing,
    isQuarantined: quarantined,
    windowClosedAt: null,
    paceAt: null,
  })
  tables.sessionIdByKey.set(sessionKey, sessionId)
}

/** A settled effect never changes again. A send's provider id fills its message, unless another message has it. */
function writeEffectUpdate(
  tables: Tables,
  sessionId: string,
  update: SessionCommit['effectUpdates'][number],
  moment: number,
  lease: number,
): void {
  const { effectId, status, attempts, nextAttemptAt, outcome, providerId } = update
  const effect = tables.effects.get(effectId)
  if (effect === undefined || effect.sessionId !== sessionId) return
  const message = effect.messageId === null ? undefined : tables.messages.get(effect.messageId)
  if (providerId !== null && message !== undefined && message.providerId === null) {
    if (!tables.messageByProviderId.has(toProviderKey(message.channelId, providerId))) {
      tables.putMessage({ ...message, providerId })
    }
  }
  if (!isUnsettled(effect)) return
  if (status !== effect.status) noteOutcome(tables, effect, update)
  const times = status === 'running' ? { deadline: lease, startedAt: moment } : {}
  tables.effects.set(effectId, { ...effect, status, attempts, nextAttemptAt, outcome, ...times })
}

type Heard = { readonly messageId: string; readonly media: number; readonly text: string | null }
type About = { readonly messages?: readonly Heard[]; readonly notes?: readonly Heard[] }

/** What an invoked effect's outcome says about the messages of its turn (`note_outcome`). */
function noteOutcome(tables: Tables, effect: EffectRow, { status, outcome }: EffectUpdate): void {
  const { code, transcripts } = (outcome ?? {}) as { readonly code?: string; readonly transcripts?: readonly Heard[] }
  const change = (messageId: string, changed: (message: MessageRow) => Partial<MessageRow>): void => {
    const message = tables.messages.get(messageId)
    if (message?.sessionId === effect.sessionId) tables.putMessage({ ...message, ...changed(message) })
  }
  if (status === 'failed' && effect.childId !== null && (code === 'tenant-minute' || code === 'tenant-hour')) {
    const { messages, notes } = effect.params as About
    for (const { messageId } of messages ?? notes ?? []) change(messageId, () => ({ rateLimited: true }))
  }
  if (status !== 'done' || effect.kind !== 'transcribe') return
  for (const { messageId, media, text } of transcripts ?? []) {
    if (text !== null) change(messageId, (message) => ({ transcripts: { ...message.transcripts, [media]: text } }))
  }
}

/**
 * The same position may come again: while its partition's cursor waits for another session, and with what has become
 * of the event (`settle_quarantine`). What failed does not become waiting by that; what waits no more stays as it is.
 */
function park(tables: Tables, partition: number, sessionId: string | null, parked: SessionCommit['parked']): void {
  for (const event of parked) {
    const key = toQuarantineKey(partition, event.position, sessionId)
    const row = tables.quarantine.get(key)
    const waits = row !== undefined && sessionId !== null && (row.kind === 'poison' || row.kind === 'waiting')
    if (waits) {
      const kind = event.kind === 'waiting' ? row.kind : event.kind
      tables.quarantine.set(key, { ...row, kind, error: event.error ?? row.error })
    } else if (row === undefined && event.kind !== 'applied' && event.kind !== 'skipped') {
      const quarantineId = `quarantine-${tables.quarantine.size + 1}`
      tables.quarantine.set(key, { ...event, quarantineId, partition, sessionId })
    }
  }
}
