/**
 * Reads what a run has left behind (what Twilio was answered, the stream, the tables, what Twilio accepted) and says
 * which promises it keeps. It knows nothing of how Duologue works inside, and repairs nothing.
 *
 * The numbers are those of the invariants in docs/reliability.md; each is a list of what contradicts it.
 */
import { DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

import { toCanonicalJson } from '../../src/actors/canonical-json.ts'
import { replayJournal } from '../../src/actors/replay.ts'
import type { ReplayedEvent } from '../../src/actors/replay.ts'
import { readStoredSubject, streamName } from '../../src/infra/nats/subjects.ts'
import { registeredMachines } from '../../src/machines/registered.ts'
import type { SentMessage } from './cluster-load.ts'
import { checkOperators } from './check-operators.ts'
import type { OperatorVerdict } from './check-operators.ts'
import type { Sql } from './database.ts'
import type { OperatorCall } from './operator-load.ts'

export type History = {
  readonly sent: readonly SentMessage[]
  readonly sql: Sql
  /** `nats://user:password@host:port`, for whoever may read the stream. */
  readonly natsUrl: string
  /** What Twilio accepted from Duologue. */
  readonly accepted: readonly { readonly sid: string; readonly statusCallback: string | null }[]
  /** What operators asked, and what they were told. */
  readonly calls: readonly OperatorCall[]
}

export type Verdict = {
  readonly acknowledged: number
  readonly processed: number
  readonly quarantined: number
  readonly pending: number
  readonly lost: number
  readonly answers: number
  readonly duplicateAnswers: number
  readonly unsettledEffects: number
  /** Sends that failed twice without a certain answer: a person has to look (DESIGN section 7). */
  readonly leftToPerson: number
  readonly conversations: number
  readonly steps: number
  /** Of operators: asked, answered, and by their outcomes. */
  readonly commands: Omit<OperatorVerdict, 'violations'>
  readonly violations: readonly string[]
}

type StreamEntry = { readonly sequence: number; readonly partition: number }
type Row = Record<string, unknown>

const readWithinMs = 10_000

export async function checkHistory(history: History): Promise<Verdict> {
  const stream = await readStream(history.natsUrl)
  const stored = await history.sql(`
    select message.provider_id, message.session_id::text, message.conversation_id::text
    from duologue.messages as message where direction = 'inbound'`)
  const violations: string[] = []
  const fate = await judgeFates(history, stream, stored, violations)
  checkInvention(history, stored, violations)
  const journals = await checkJournals(history.sql, violations)
  await checkOrder(history.sql, stream, violations)
  await checkTenants(history.sql, violations)
  const answers = await checkAnswers(history, violations)
  const sequenceOf = (commandId: string) => stream.get(commandId)?.sequence
  const { violations: broken, ...commands } = await checkOperators(history.calls, history.sql, sequenceOf)
  violations.push(...broken)
  return { ...fate, ...journals, ...answers, commands, violations }
}

/** I1, I9, I13: everything that was answered with 200 is processed, quarantined or still in the log; nothing else. */
async function judgeFates(
  { sent, sql }: History,
  stream: ReadonlyMap<string, StreamEntry>,
  stored: readonly Row[],
  violations: string[],
): Promise<Pick<Verdict, 'acknowledged' | 'processed' | 'quarantined' | 'pending' | 'lost'>> {
  const processedIds = new Set(stored.map((row) => String(row['provider_id'])))
  const parked = await sql(`select data_base64 from duologue.quarantine`)
  const parkedText = parked.map((row) => Buffer.from(String(row['data_base64']), 'base64').toString('utf8')).join('\n')
  const cursors = new Map(
    (await sql('select partition, cursor_sequence from duologue.partitions')).map((row) => [
      Number(row['partition']),
      Number(row['cursor_sequence']),
    ]),
  )
  const fate = { acknowledged: 0, processed: 0, quarantined: 0, pending: 0, lost: 0 }
  for (const { sid, answeredAt } of sent) {
    if (answeredAt === null) continue
    fate.acknowledged += 1
    const entry = stream.get(sid)
    if (processedIds.has(sid)) fate.processed += 1
    else if (parkedText.includes(sid)) fate.quarantined += 1
    else if (entry !== undefined && entry.sequence > (cursors.get(entry.partition) ?? 0)) fate.pending += 1
    else {
      fate.lost += 1
      violations.push(`I1: ${sid} was answered with 200 and is nowhere`)
    }
  }
  return fate
}

/** I2: nothing is stored that Twilio never sent. */
function checkInvention({ sent }: History, stored: readonly Row[], violations: string[]): void {
  const known = new Set(sent.map(({ sid }) => sid))
  for (const { provider_id: sid } of stored) {
    if (!known.has(String(sid))) violations.push(`I2: ${String(sid)} is stored and was never sent`)
  }
}

/** I3, I4, I6, I10: versions 1 to n, one hash chain, and the events in order give what is stored. */
async function checkJournals(sql: Sql, violations: string[]): Promise<Pick<Verdict, 'conversations' | 'steps'>> {
  const conversations = await sql(`select id::text, version, machine, hash, snapshot from duologue.conversations`)
  let steps = 0
  for (const { id, version, machine, hash, snapshot } of conversations) {
    const journal = (await sql(
      `select version, event, hash, machine_version as "machineVersion" from duologue.conversation_events where conversation_id = $1::uuid order by version`,
      [id],
    )) as unknown as readonly ReplayedEvent[]
    steps += journal.length
    const registration = registeredMachines[String(machine)]
    if (registration === undefined) throw new Error(`there is no machine ${String(machine)}`)
    const replay = replayJournal(registration, journal)
    if (replay.kind === 'differs') violations.push(`I4: ${String(id)} version ${replay.version}: ${replay.reason}`)
    else if (replay.version !== Number(version) || replay.hash !== hash)
      violations.push(`I3: ${String(id)} is stored with version ${String(version)}, its journal has ${replay.version}`)
    else if (toCanonicalJson(replay.snapshot) !== toCanonicalJson(snapshot))
      violations.push(`I6: ${String(id)} is stored with another snapshot than its journal gives`)
  }
  return { conversations: conversations.length, steps }
}

/** I5: a session's messages and commands were stepped in the order of the log. */
async function checkOrder(sql: Sql, stream: ReadonlyMap<string, StreamEntry>, violations: string[]): Promise<void> {
  const rows = await sql(`
    select conversation.session_id::text, split_part(event.event_id, ':', 2) as sid
    from duologue.conversation_events as event
    join duologue.conversations as conversation on conversation.id = event.conversation_id
    where split_part(event.event_id, ':', 1) in ('message', 'command')
    order by conversation.session_id, conversation.id, event.version`)
  if (rows.length === 0) violations.push('I5: no step of a message was found')
  let before: { session: unknown; sequence: number } = { session: null, sequence: 0 }
  for (const { session_id: session, sid } of rows) {
    const sequence = stream.get(String(sid))?.sequence
    if (sequence === undefined) violations.push(`I5: ${String(sid)} was stepped and is not in the log`)
    else if (before.session === session && sequence < before.sequence)
      violations.push(`I5: ${String(sid)} was stepped after a later message of its session`)
    if (sequence !== undefined) before = { session, sequence }
  }
}

/** I11: what belongs to a session belongs to its tenant, and what belongs to a conversation to its session. */
async function checkTenants(sql: Sql, violations: string[]): Promise<void> {
  const [row] = await sql(`
    select (select count(*)::int from duologue.conversations
        join duologue.sessions on sessions.id = conversations.session_id
        where sessions.tenant_id <> conversations.tenant_id) as "of another tenant",
      (select count(*)::int from duologue.effects join duologue.conversations on conversations.id = conversation_id
        where effects.session_id <> conversations.session_id) as "of another session (effects)",
      (select count(*)::int from duologue.messages join duologue.conversations on conversations.id = conversation_id
        where messages.session_id <> conversations.session_id) as "of another session (messages)"`)
  for (const [what, count] of Object.entries(row ?? { nothing: 1 }))
    if (count !== 0) violations.push(`I11: ${String(count)} rows ${what}`)
}

/** I7, I8, I12: what Twilio accepted is what the effects say, each once, and nothing is left to do. */
async function checkAnswers(
  { sql, accepted }: History,
  violations: string[],
): Promise<Pick<Verdict, 'answers' | 'duplicateAnswers' | 'unsettledEffects' | 'leftToPerson'>> {
  const effects = await sql(`
    select effect.id, effect.status, effect.attempts, message.provider_id from duologue.effects as effect
    left join duologue.messages as message on message.session_id = effect.session_id and message.id = effect.message_id
    where effect.kind = 'sendMessage'`)
  const byEffect = new Map<string, string[]>()
  for (const { sid, statusCallback } of accepted) {
    const effectId = new URL(statusCallback ?? 'http://none').searchParams.get('effect') ?? 'none'
    byEffect.set(effectId, [...(byEffect.get(effectId) ?? []), sid])
  }
  let unsettledEffects = 0
  let leftToPerson = 0
  for (const { id, status, attempts, provider_id: providerId } of effects) {
    const sids = byEffect.get(String(id)) ?? []
    if (status === 'done' && !sids.includes(String(providerId)))
      violations.push(
        `I7: ${String(id)} is done by ${String(providerId)}, Twilio accepted ${sids.join(', ') || 'none'}`,
      )
    if (status === 'uncertain' && Number(attempts) > 1) {
      leftToPerson += 1
      continue
    }
    if (status !== 'done' && sids.length > 0)
      violations.push(`I8: ${String(id)} is ${String(status)}, and Twilio accepted ${sids.join(', ')}`)
    if (!['done', 'failed', 'cancelled'].includes(String(status))) {
      unsettledEffects += 1
      violations.push(`I12: ${String(id)} is still ${String(status)}`)
    }
  }
  const duplicated = [...byEffect].filter(([, sids]) => sids.length > 1)
  for (const [id, sids] of duplicated) violations.push(`I8: ${id} was accepted ${sids.length} times`)
  await checkResends(sql, [...byEffect.keys()], violations)
  const known = new Set(effects.map(({ id }) => String(id)))
  for (const id of byEffect.keys())
    if (!known.has(id)) violations.push(`I7: Twilio accepted ${id}, which no step wanted`)
  const duplicateAnswers = duplicated.reduce((sum, [, sids]) => sum + sids.length - 1, 0)
  return { answers: accepted.length, duplicateAnswers, unsettledEffects, leftToPerson }
}

/** I8: a message goes out once more (`<effect>:<number>`) only when the provider has told that it did not deliver it. */
async function checkResends(sql: Sql, effectIds: readonly string[], violations: string[]): Promise<void> {
  const rows = await sql(
    `select distinct effect_id from duologue.deliveries where status in ('failed', 'undelivered') and effect_id is not null`,
  )
  const lost = new Set(rows.map((row) => String(row['effect_id'])))
  for (const effectId of effectIds) {
    const [conversationId, version, index, number] = effectId.split(':')
    if (number === undefined) continue
    const firstId = `${conversationId}:${version}:${index}`
    const beforeId = Number(number) > 1 ? `${firstId}:${Number(number) - 1}` : firstId
    if (effectIds.includes(beforeId) && !lost.has(beforeId))
      violations.push(`I8: ${effectId} was accepted, and ${beforeId} was not lost`)
  }
}

/** The first entry of each message and each command in the log, by its id. */
async function readStream(natsUrl: string): Promise<ReadonlyMap<string, StreamEntry>> {
  const [, user = '', pass = ''] = /^nats:\/\/([^:]+):([^@]+)@/u.exec(natsUrl) ?? []
  const servers = natsUrl.split(',').map((url) => url.replace(/^.*@/u, ''))
  const connection = await connect({ servers, user, pass })
  try {
    const manager = await jetstreamManager(connection)
    const { state } = await manager.streams.info(streamName)
    const entries = new Map<string, StreamEntry>()
    if (state.messages === 0) return entries
    const consumer = await jetstream(connection).consumers.get(streamName, { deliver_policy: DeliverPolicy.All })
    const messages = await consumer.consume({ max_messages: 1_000 })
    const timer = setTimeout(() => messages.stop(new Error('the stream could not be read')), readWithinMs * 12)
    for await (const message of messages) {
      const { partition, kind } = readStoredSubject(message.subject)
      if (kind === 'message' || kind === 'command') {
        const { providerId, commandId } = message.json<{ providerId?: string; commandId?: string }>()
        const id = providerId ?? commandId ?? ''
        if (!entries.has(id)) entries.set(id, { sequence: message.seq, partition })
      }
      if (message.seq >= state.last_seq) break
    }
    clearTimeout(timer)
    return entries
  } finally {
    await connection.close()
  }
}
