/** The conversation machine for the kit: its moves with their payloads, the tenants, and what no walk can reach. */
import fc from 'fast-check'

import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import type { ConversationContext } from '../../../src/machines/conversation/context.ts'
import type { OperatorCommand } from '../../../src/machines/conversation/operator-events.ts'
import type { Draft } from '../../../src/machines/conversation/draft.ts'
import { hasWords, toUnheard } from '../../../src/machines/conversation/turn.ts'
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import { notesOf } from '../kit/heard.ts'
import type { Act, Model, Move, Profile, Unwalked } from '../kit/model.ts'

const minuteMs = 60_000

/**
 * While a walk waits for its turn real time passes too, so no timer may be short. The assistant waits for as long as
 * the walk does, and costs nothing.
 */
const patient: JsonObject = {
  quietMs: minuteMs,
  quietMaxMs: 10 * minuteMs,
  answeringMs: 60 * minuteMs,
  assistantTimeoutMs: 240_000,
  assistantCallsPerMinuteMax: 1_000_000,
  assistantCallsPerHourMax: 10_000_000,
  transcribingMs: 60 * minuteMs,
  assistantInputPrice: 0,
  assistantOutputPrice: 0,
}

const profiles: readonly Profile[] = [
  { name: 'usual', businessAddress: 'whatsapp:+14155238886', settings: patient },
  {
    name: 'short of patience',
    businessAddress: 'whatsapp:+14155238890',
    settings: { ...patient, idleExpiryMs: 0, pendingExpiryMs: 30 * minuteMs },
  },
  { name: 'on SMS', businessAddress: 'sms:+14155238891', settings: patient },
]

// ── Moves ────────────────────────────────────────────────────────────────────────────────────────

function says(name: string, ...texts: readonly string[]): Move {
  return { name, kind: 'say', acts: fc.constantFrom(...texts).map((text): Act => ({ kind: 'say', text })) }
}

function drafts(name: string, draft: fc.Arbitrary<Draft>): Move {
  return {
    name,
    kind: 'result',
    of: 'draftReply',
    acts: draft.map((output) => ({ kind: 'result', result: { kind: 'done', output } })),
  }
}

/** What each voice message that is being read turns out to say; null: nothing. */
function hears(name: string, ...texts: readonly (string | null)[]): Move {
  const acts = fc.constantFrom(...texts).map((text): Act => ({ kind: 'result', result: { kind: 'heard', text } }))
  return { name, kind: 'result', of: 'transcribe', acts }
}

function commands(name: string, path: string, events: fc.Arbitrary<OperatorCommand>): Move {
  const acts = events.map((event): Act => ({ kind: 'command', name: path, event: event as unknown as JsonObject }))
  return { name, kind: 'command', acts }
}

const reply = fc.constantFrom('We open at nine.', 'Your parcel is on its way.', 'Pois não, já vejo isso.')
const reason = fc.constantFrom('', 'a complaint', 'ein Grund mit Ümläuten', '“quoted” & 😀')
const sureness = fc.constantFrom(0.8, 0.9, 1)

const notADraft = fc.constantFrom('', 'Of course!', '[]', '{"reply": 1}', '{"reply": "", "intent": "continue"}')

function replies(operatorId: string): fc.Arbitrary<OperatorCommand> {
  return fc
    .constantFrom(
      { body: 'a person here', mediaUrls: [], contentSid: null },
      { body: 'One more sentence. '.repeat(120).trim(), mediaUrls: [], contentSid: null },
      { body: 'see this', mediaUrls: ['https://example.com/a.png'], contentSid: null },
    )
    .map((what) => ({ type: 'operator.replied', operatorId, ...what }))
}

function operates(
  name: string,
  path: string,
  type: 'operator.assigned' | 'operator.released' | 'operator.extended',
  operatorId: string,
): Move {
  return commands(name, path, fc.constant({ type, operatorId }))
}

function transfers(name: string, operatorId: string, to: string): Move {
  return commands(name, 'transfer', fc.constant({ type: 'operator.transferred', operatorId, to }))
}

function tells(
  name: string,
  status: 'undelivered' | 'failed' | 'delivered',
  ...codes: readonly (string | null)[]
): Move {
  const acts = fc.constantFrom(...codes).map((errorCode): Act => ({ kind: 'delivery', status, errorCode }))
  return { name, kind: 'delivery', acts }
}

const moves: readonly Move[] = [
  says('the user writes', 'where is my order {walk}?', 'e agora, {walk}?', 'necesito ayuda con {walk}', '{walk}'),
  {
    name: 'the user sends a voice message',
    kind: 'say',
    acts: fc.constant({ kind: 'say', text: '', media: [{ url: '{voice}', contentType: 'audio/ogg' }] }),
  },
  hears('a voice message is read', 'where is my order {walk}?', 'e agora, {walk}?', 'necesito ayuda con {walk}'),
  hears('a voice message says goodbye', 'tchau, obrigado!', 'sair'),
  hears('a voice message asks for a person', 'quero falar com um atendente', 'human please'),
  hears('a voice message opts out', 'STOP', 'Unsubscribe.'),
  hears('a voice message says nothing', null),
  {
    name: 'the reading fails',
    kind: 'result',
    of: 'transcribe',
    acts: fc
      .constantFrom('[]', 'what?', '{"text": 7}')
      .map((content) => ({ kind: 'result', result: { kind: 'failed', code: 'malformed', content } })),
  },
  { name: 'time passes', kind: 'pass', acts: fc.constant({ kind: 'pass' }) },
  drafts('the assistant answers', fc.record({ reply, intent: fc.constant('continue'), confidence: sureness })),
  says('the user says goodbye', 'sair', 'exit', 'obrigado!', 'Thanks, bye!', 'quero encerrar o atendimento'),
  says('the user asks for a person', 'atendente', 'quero falar com um atendente', 'human please'),
  says('the user opts out', 'STOP', 'Parar', 'unsubscribe'),
  says('the user opts in', 'START'),
  drafts('the assistant hands over', fc.record({ reply, intent: fc.constant('handoff'), confidence: sureness })),
  drafts('the assistant hears a goodbye', fc.record({ reply, intent: fc.constant('close'), confidence: sureness })),
  drafts(
    'the assistant is unsure of a goodbye',
    fc.record({ reply, intent: fc.constant('close'), confidence: fc.constantFrom(0, 0.5, 0.79) }),
  ),
  {
    name: 'the assistant fails',
    kind: 'result',
    of: 'draftReply',
    acts: notADraft.map((content) => {
      const code = content === '' ? 'empty' : 'malformed'
      return { kind: 'result', result: { kind: 'failed', code, content } }
    }),
  },
  commands(
    'a person is asked for',
    'handoff',
    fc.record({
      type: fc.constant('handoff.requested'),
      operatorId: fc.constantFrom('ana', null),
      reason,
    }),
  ),
  operates('Ana takes over', 'assign', 'operator.assigned', 'ana'),
  commands('Ana replies', 'reply', replies('ana')),
  commands('Bia replies', 'reply', replies('bia')),
  operates('Ana gives it back', 'release', 'operator.released', 'ana'),
  operates('Bia gives it back', 'release', 'operator.released', 'bia'),
  operates('Ana asks for time', 'extend', 'operator.extended', 'ana'),
  operates('Bia asks for time', 'extend', 'operator.extended', 'bia'),
  transfers('Ana hands it to Bia', 'ana', 'bia'),
  transfers('Ana hands it to herself', 'ana', 'ana'),
  transfers('Bia hands it to Ana', 'bia', 'ana'),
  commands(
    'Ana escalates',
    'escalate',
    fc.record({ type: fc.constant('operator.escalated'), operatorId: fc.constant('ana'), reason }),
  ),
  commands(
    'an agent closes',
    'close',
    fc.record({
      type: fc.constant('operator.closed'),
      operatorId: fc.constant('ana'),
      as: fc.constant('agent'),
      reason,
    }),
  ),
  commands(
    'support closes',
    'close',
    fc.record({
      type: fc.constant('operator.closed'),
      operatorId: fc.constant('carl'),
      as: fc.constant('support'),
      reason,
    }),
  ),
  tells('the user cannot be reached', 'undelivered', '63024', '21211', '30005'),
  tells('a message is lost', 'failed', '30003', '30008'),
  tells('a message arrives', 'delivered', null),
]

// ── What no walk reaches ─────────────────────────────────────────────────────────────────────────

const answering = String.raw`\.answering\|`

const unwalked: readonly Unwalked[] = [
  {
    transitions: new RegExp(String.raw`${answering}xstate\.done\.actor\.draftReply\|[345]$`, 'u'),
    outcome: null,
    reason: 'the assistant refuses what is no draft before the chart sees it; lifecycle.test.ts shows the chart one',
  },
  {
    transitions: new RegExp(String.raw`${answering}xstate\.done\.actor\.draftReply\|2$`, 'u'),
    outcome: false,
    reason: 'an output that is no draft never reaches the chart through the assistant',
  },
  {
    transitions:
      /^conversation\.PENDING\.answering\|xstate\.(?:error\.actor\.draftReply\|3|after\.answering\.\S+\|2)$/u,
    outcome: null,
    reason: 'nobody can have failed to come before the first answer: a queue leads to PROGRESS',
  },
  {
    transitions:
      /^conversation\.PENDING\.answering\|xstate\.(?:error\.actor\.draftReply\|2|after\.answering\.\S+\|1)$/u,
    outcome: false,
    reason: 'nobody can have failed to come before the first answer: a queue leads to PROGRESS',
  },
  {
    transitions: /\.transcribing\|xstate\.done\.actor\.transcribe\|[23]$/u,
    outcome: 'taken',
    reason: 'an output that is no transcription never reaches the chart; voice-messages.test.ts shows the chart one',
  },
  {
    transitions: /\.transcribing\|xstate\.(?:error\.actor\.transcribe\|3|after\.transcribing\.\S+\|2)$/u,
    outcome: false,
    reason: 'what has failed asks for nothing',
  },
  {
    transitions: /^conversation\.(?:USER_CLOSED|FAILED)\|xstate\.done\.actor\.transcribe\|0$/u,
    outcome: null,
    reason: 'the reading of a closed conversation has been stopped',
  },
  {
    transitions: /^conversation\|xstate\.done\.actor\.transcribe\|1$/u,
    outcome: false,
    reason: 'the states that read leave nothing to the root but what asks for something',
  },
  {
    transitions: /\.transcribing\|xstate\.error\.actor\.transcribe\|0$/u,
    outcome: 'taken',
    reason: 'no walk uses up a tenant’s budget; rates.test.ts does',
  },
  {
    transitions: /(?:PENDING|PROGRESS|IDLE_TIMEOUT)\|message\.received\|1$/u,
    outcome: 'taken',
    reason: 'no walk writes more than a user may; rates.test.ts does',
  },
  {
    transitions: new RegExp(String.raw`${answering}xstate\.error\.actor\.draftReply\|0$`, 'u'),
    outcome: 'taken',
    reason: 'no walk uses up a tenant’s budget; rates.test.ts does',
  },
  {
    transitions: /^conversation\|operator\.closed\|1$/u,
    outcome: false,
    reason: 'a command closes as agent or as support; the API refuses anything else',
  },
]

export const conversationModel: Model = {
  registration: conversationRegistration,
  module: null,
  profiles,
  moves,
  keep(context) {
    const { turn, nobodyCame, operatorId, line, recovery } = context as unknown as ConversationContext
    const isUnheard = toUnheard(turn).length > 0
    const kept: Json = [turn.failures, nobodyCame, operatorId, line, recovery !== null]
    return isUnheard || turn.hearingFailures > 0 ? [kept, turn.hearingFailures, isUnheard, hasWords(turn)] : kept
  },
  /** Whether more voice messages wait than are being read, and whether the last one is. */
  keepEffect(input, context) {
    const { turn } = context as unknown as ConversationContext
    const asked = notesOf(input)
    if (asked.length === 0) return null
    return [toUnheard(turn).length > asked.length, turn.messages.at(-1)?.messageId === asked.at(-1)?.messageId]
  },
  isRisky: (state) => /^(?:HUMAN_HANDOFF|[A-Z]+_CLOSED|EXPIRED|FAILED)|\.answering$/u.test(state),
  unwalked,
  isSilentAfterStop: true,
}
