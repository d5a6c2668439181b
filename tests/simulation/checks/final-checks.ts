/** The invariants of the whole history, when everything has settled. */
import { replayJournal } from '../../../src/actors/replay.ts'
import type { MachineRegistration } from '../../../src/machines/registry.ts'
import { toCanonicalJson } from '../../../src/actors/canonical-json.ts'
import type { ConversationRow, EffectRow, JournalRow, MessageRow, Tables } from '../store/tables.ts'
import { isResend } from '../store/write-notices.ts'
import type { SimulatedLog } from '../world/simulated-log.ts'
import type { Accepted } from '../world/simulated-twilio.ts'
import { draftMark } from '../world/simulated-assistant.ts'
import type { History } from './history.ts'
import { isFinished, toCommandId, toProviderId } from './store-watch.ts'

export type Everything = {
  readonly tables: Tables
  readonly log: SimulatedLog
  readonly ledger: readonly Accepted[]
  readonly history: History
  readonly registration: MachineRegistration
  readonly hasPoison: boolean
}

/** One is JSON; of the other, what the parser says about it holds a NUL. */
export const foreignEvents: readonly string[] = ['{"not":"ours"}', '\u0000\u0001 not ours']

/** A session's later sends wait this long for an uncertain one. */
const uncertainHoldsMs = 60_000

export function checkEverything(everything: Everything): void {
  checkMessages(everything)
  checkOrder(everything)
  for (const conversation of everything.tables.conversations.values()) checkConversation(everything, conversation)
  for (const session of everything.tables.sessions.values()) {
    const open = everything.tables.conversationsOf(session.sessionId).filter(({ closedAt }) => closedAt === null)
    if (open.length > 1)
      everything.history.wrong('I3', `session ${session.sessionId} has ${open.length} open conversations`)
  }
  checkQuarantine(everything)
  checkCommands(everything)
  checkEffects(everything)
  checkLedger(everything)
}

/** I1, I2, I13: nothing that was answered 200 is lost, nothing is invented, everything is somewhere. */
function checkMessages({ tables, log, history }: Everything): void {
  const parked = new Set<string>()
  for (const { dataBase64 } of tables.quarantine.values()) {
    const providerId = /"providerId":"([^"]+)"/u.exec(Buffer.from(dataBase64, 'base64').toString())?.[1]
    if (providerId !== undefined) parked.add(providerId)
  }
  const inbound = new Map<string, MessageRow>()
  for (const message of tables.messages.values()) {
    if (message.direction !== 'inbound' || message.providerId === null) continue
    if (inbound.has(message.providerId)) history.wrong('I13', `message ${message.providerId} is stored twice`)
    inbound.set(message.providerId, message)
    const sent = history.sent.get(message.providerId)
    const session = tables.sessions.get(message.sessionId)
    if (sent?.body !== message.body || sent.sessionKey !== session?.sessionKey) {
      history.wrong('I2', `nobody sent the message ${message.providerId} as it is stored`)
    }
  }
  for (const providerId of history.acknowledged) {
    if (!inbound.has(providerId) && !parked.has(providerId))
      history.wrong('I1', `the acknowledged message ${providerId} is lost`)
  }
  for (const entry of log.entries) {
    const providerId = toProviderId(entry)
    if (entry.kind !== 'message' || providerId === null || !history.sent.has(providerId)) continue
    if (!inbound.has(providerId) && !parked.has(providerId))
      history.wrong('I13', `log entry ${entry.sequence} is nowhere`)
  }
}

/** I14: every command has one outcome, and it is in the journal exactly when it was applied. */
function checkCommands({ tables, log, history }: Everything): void {
  const applied = new Set([...tables.journal.values()].flat().map(({ eventId }) => eventId))
  for (const entry of log.entries) {
    if (entry.kind !== 'command') continue
    const commandId = toCommandId(entry)
    const command = tables.commands.get(commandId)
    if (command === undefined && !isFinished(tables, entry)) history.wrong('I14', `command ${commandId} has no outcome`)
    const isApplied = command?.outcome === 'applied'
    if (applied.has(`command:${commandId}`) !== isApplied)
      history.wrong('I14', `command ${commandId} is ${command?.outcome}`)
  }
}

/** Only what a scenario meant to be parked is parked. */
function checkQuarantine({ tables, history, hasPoison }: Everything): void {
  for (const { kind, error, dataBase64, sessionId } of tables.quarantine.values()) {
    const isForeign = kind === 'foreign' && foreignEvents.includes(Buffer.from(dataBase64, 'base64').toString())
    if (!isForeign && !(hasPoison && kind !== 'foreign'))
      history.wrong('PARKED', `${kind} of session ${sessionId}: ${error}`)
  }
}

/** I5: the messages of a session were stored in the order of the log, first occurrence counts. */
function checkOrder({ tables, log, history }: Everything): void {
  const firstAt = new Map<string, number>()
  for (const entry of log.entries) {
    const providerId = entry.kind === 'message' ? toProviderId(entry) : null
    if (providerId !== null && !firstAt.has(providerId)) firstAt.set(providerId, entry.sequence)
  }
  const last = new Map<string, number>()
  for (const { sessionId, direction, providerId } of tables.messages.values()) {
    if (direction !== 'inbound') continue
    const sequence = firstAt.get(providerId ?? '') ?? 0
    if (sequence < (last.get(sessionId) ?? 0)) history.wrong('I5', `message ${providerId} was stepped out of order`)
    last.set(sessionId, sequence)
  }
}

/** I3, I4, I6: versions 1..n, one chain of hashes, and folding the journal again gives the stored snapshot. */
function checkConversation(everything: Everything, conversation: ConversationRow): void {
  const { tables, history, registration } = everything
  const { conversationId, version, hash, snapshot } = conversation
  const journal = tables.journal.get(conversationId) ?? []
  if (journal.length !== version)
    history.wrong('I3', `conversation ${conversationId} has version ${version} and ${journal.length} rows`)
  for (const [index, entry] of journal.entries()) {
    if (entry.version !== index + 1) history.wrong('I3', `conversation ${conversationId} has no version ${index + 1}`)
  }
  checkEventIds(everything, journal, conversationId)
  const replay = replayJournal(registration, journal)
  if (replay.kind === 'differs')
    history.wrong('I6', `conversation ${conversationId} at ${replay.version}: ${replay.reason}`)
  else if (toCanonicalJson(replay.snapshot) !== toCanonicalJson(JSON.parse(snapshot)) || replay.hash !== hash) {
    history.wrong('I6', `conversation ${conversationId} is not what its journal gives`)
  }
  checkAnswers(everything, journal, conversationId)
}

/** No event is applied twice: a callback that the log has twice may be, a message or a result may not. */
function checkEventIds({ log, history }: Everything, journal: readonly JournalRow[], conversationId: string): void {
  const times = new Map<string, number>()
  for (const { eventId } of journal) times.set(eventId, (times.get(eventId) ?? 0) + 1)
  for (const [eventId, count] of times) {
    if (count === 1) continue
    const logged = log.entries.filter(
      (entry) => entry.kind === 'status' && eventId.startsWith(`status:${toProviderId(entry)}:`),
    )
    if (count > logged.length) history.wrong('I3', `conversation ${conversationId} took ${eventId} ${count} times`)
  }
}

/** A draft that was sent answers the messages up to the last one before it: none came in between. */
function checkAnswers({ tables, history }: Everything, journal: readonly JournalRow[], conversationId: string): void {
  let lastMessageId = ''
  for (const { version, event } of journal) {
    const { type, messageId } = event as { readonly type: string; readonly messageId?: string }
    if (type === 'message.received') lastMessageId = messageId ?? ''
    if (!type.startsWith('xstate.done.actor.')) continue
    // A piece of one may end within the list of what it answers.
    const sends = [...tables.effects.values()].filter(
      (effect) =>
        effect.conversationId === conversationId &&
        effect.effectId.split(':')[1] === String(version) &&
        !isResend(effect),
    )
    for (const { params, effectId } of sends) {
      const { body = '' } = (params ?? {}) as { readonly body?: string }
      if (!body.startsWith(draftMark)) continue
      const answered = body.slice(draftMark.length).split(' ')[0]?.split(',').at(-1)
      if (answered !== lastMessageId)
        history.wrong('TURN', `${effectId} answers ${answered}, but ${lastMessageId} came before it`)
    }
  }
}

/** I7: every effect is of a step that was committed, and its fate agrees with Twilio's ledger. */
function checkEffects({ tables, ledger, history }: Everything): void {
  const accepted = new Map<string, number>()
  for (const { effectId } of ledger) accepted.set(effectId, (accepted.get(effectId) ?? 0) + 1)
  for (const effect of tables.effects.values()) {
    const version = Number(effect.effectId.split(':')[1])
    const conversation = tables.conversations.get(effect.conversationId)
    if (conversation === undefined || version > conversation.version)
      history.wrong('I7', `effect ${effect.effectId} has no step`)
    if (effect.kind !== 'sendMessage') continue
    const times = accepted.get(effect.effectId) ?? 0
    if (times > 1) history.wrong('I8', `send ${effect.effectId} was accepted ${times} times`)
    if (effect.status === 'done' && times !== 1)
      history.wrong('I8', `send ${effect.effectId} is done and was accepted ${times} times`)
    const isRefused = effect.status === 'cancelled' || effect.status === 'failed'
    if (isRefused && times > 0) history.wrong('I8', `send ${effect.effectId} is ${effect.status} and was accepted`)
  }
}

/** What Twilio accepted was wanted, went to whom it was meant for, and one session's sends went in their order. */
function checkLedger(everything: Everything): void {
  const { tables, ledger, history } = everything
  const newest = new Map<string, { readonly effect: EffectRow; readonly at: number }>()
  for (const { effectId, replyAddress, body, at, channelId, sid } of ledger) {
    const effect = tables.effects.get(effectId)
    const session = effect === undefined ? undefined : tables.sessions.get(effect.sessionId)
    if (effect === undefined || session === undefined) {
      history.wrong('I7', `Twilio accepted ${effectId}, which nobody wanted`)
      continue
    }
    if (session.replyAddress !== replyAddress || session.channelId !== channelId)
      history.wrong('I11', `${effectId} went elsewhere`)
    if ((effect.params as { readonly body?: string } | null)?.body !== body)
      history.wrong('I7', `${effectId} was sent with another text`)
    const message = effect.messageId === null ? undefined : tables.messages.get(effect.messageId)
    const isOther = message !== undefined && message.providerId !== null && message.providerId !== sid
    if (isOther && effect.status === 'done')
      history.wrong('I8', `the message of ${effectId} has the id ${message.providerId}, not ${sid}`)
    const first = tables.effects.get(effectId.split(':').slice(0, 3).join(':'))
    if (first !== undefined && first !== effect && first.status === 'done') {
      checkResend(everything, effectId)
      continue
    }
    const before = newest.get(effect.sessionId)
    const heldSince = history.firstStartedAt.get(effectId) ?? 0
    // The owner counts the minute by its own wall clock, from the database's moment.
    const holdsMs = uncertainHoldsMs - history.skewMs
    if (before !== undefined && isBefore(effect, before.effect) && before.at - heldSince < holdsMs) {
      history.wrong('ORDER', `${effectId} was accepted after ${before.effect.effectId}`)
    }
    if (before === undefined || isBefore(before.effect, effect)) newest.set(effect.sessionId, { effect, at })
  }
}

/** What was sent again was lost before: Twilio had accepted it and did not deliver it. It takes its turn anew. */
function checkResend({ ledger, history }: Everything, effectId: string): void {
  const number = Number(effectId.split(':')[3])
  const firstId = effectId.split(':').slice(0, 3).join(':')
  const beforeId = number > 1 ? `${firstId}:${number - 1}` : firstId
  if (!ledger.some((accepted) => accepted.effectId === beforeId && accepted.isLost))
    history.wrong('I8', `${effectId} was sent again, and ${beforeId} was not lost`)
}

function isBefore(a: EffectRow, b: EffectRow): boolean {
  if (a.conversationId !== b.conversationId) return a.createdAt < b.createdAt
  const [, aVersion = 0, aIndex = 0, aPiece = 0] = a.effectId.split(':').map(Number)
  const [, bVersion = 0, bIndex = 0, bPiece = 0] = b.effectId.split(':').map(Number)
  return (aVersion - bVersion || aIndex - bIndex || aPiece - bPiece) < 0
}
