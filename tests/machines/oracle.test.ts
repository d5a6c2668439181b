/**
 * The oracle: a plain XState actor with its own scheduler on a simulated clock and a promise as the
 * draft. Whatever happens to it and to the pure functions, both show the same.
 */
import fc from 'fast-check'
import { createActor, fromPromise, SimulatedClock } from 'xstate'
import { expect, test } from 'vitest'

import type { Json } from '../../src/machines/json.ts'
import type { ConversationInput } from '../../src/machines/conversation/context.ts'
import type { DraftRequest } from '../../src/machines/conversation/draft.ts'
import { conversationMachine } from '../../src/machines/conversation/machine.ts'
import type { OutboundMessage } from '../../src/machines/conversation/to-replies.ts'
import type { TranscribeRequest } from '../../src/machines/conversation/transcription.ts'
import { goodDraft, openedAt, PureConversation, whatsapp } from './pure-conversation.ts'
import type { View } from './pure-conversation.ts'
import { happen, happening, mediaOf, passedMs } from './random-life.ts'
import type { Happening } from './random-life.ts'

type Open<Request> = {
  readonly request: Request
  readonly resolve: (output: Json) => void
  readonly reject: (error: Error) => void
}

function openLiveConversation(input: ConversationInput) {
  const clock = new SimulatedClock()
  const sent: OutboundMessage[] = []
  const drafts: Open<DraftRequest>[] = []
  const hearings: Open<TranscribeRequest>[] = []
  let messages = 0
  const draftReply = fromPromise<Json, DraftRequest>(({ input: request, signal }) => {
    return new Promise((resolve, reject) => {
      const draft = { request, resolve, reject }
      drafts.push(draft)
      signal.addEventListener('abort', () => drafts.splice(drafts.indexOf(draft), 1))
    })
  })
  const transcribe = fromPromise<Json, TranscribeRequest>(({ input: request, signal }) => {
    return new Promise((resolve, reject) => {
      const hearing = { request, resolve, reject }
      hearings.push(hearing)
      signal.addEventListener('abort', () => hearings.splice(hearings.indexOf(hearing), 1))
    })
  })
  const machine = conversationMachine.provide({
    actors: { draftReply, transcribe },
    actions: { sendMessage: (_, message) => void sent.push(message) },
  })
  const actor = createActor(machine, { input, clock })
  actor.start()

  return {
    async do(what: Happening, ms: number | null): Promise<void> {
      if (ms !== null) clock.increment(ms)
      else if (what.kind === 'message') {
        messages += 1
        const media = mediaOf(what)
        const at = openedAt + clock.now()
        actor.send({ type: 'message.received', messageId: `m${messages}`, body: what.body, media, at })
      } else if (what.kind === 'event') actor.send(what.event as never)
      else if (what.kind === 'draft') drafts.pop()?.resolve(what.output as Json)
      else if (what.kind === 'draft-fails') drafts.pop()?.reject(new Error('no answer'))
      else if (what.kind === 'heard') {
        const hearing = hearings.pop()
        const transcripts = (hearing?.request.notes ?? []).map(({ messageId, media }) => ({
          messageId,
          media,
          text: what.text,
        }))
        hearing?.resolve({ transcripts })
      } else if (what.kind === 'hearing-fails') {
        hearings.pop()?.reject(Object.assign(new Error('no answer'), { code: what.code }))
      }
      // Promises settle: a turn of the event loop, no time.
      await new Promise(setImmediate)
    },
    get view(): View {
      const { value, context } = actor.getSnapshot()
      const [draft, hearing] = [drafts.at(-1)?.request ?? null, hearings.at(-1)?.request ?? null]
      return structuredClone({ value, context, sent, draft, hearing })
    },
    get openDrafts(): number {
      return drafts.length + hearings.length
    },
    stop: () => actor.stop(),
  }
}

async function expectTwins(input: ConversationInput, happenings: readonly Happening[]): Promise<void> {
  const live = openLiveConversation(input)
  const pure = new PureConversation(input)
  try {
    for (const what of happenings) {
      const ms = passedMs(pure, what)
      await passTogether(pure, live, what, ms)
      expect(pure.view).toEqual(live.view)
      expect(live.openDrafts).toBeLessThanOrEqual(1)
    }
  } finally {
    live.stop()
  }
}

/** A simulated clock that jumps over a timer would start the next one late; both walk from due to due. */
async function passTogether(
  pure: PureConversation,
  live: ReturnType<typeof openLiveConversation>,
  what: Happening,
  ms: number | null,
): Promise<void> {
  if (ms === null) {
    if (happen(pure, what)) await live.do(what, null)
    return
  }
  let leftMs = ms
  while (leftMs >= 0) {
    const pieceMs = Math.min(leftMs, pure.nextDueMs ?? leftMs)
    pure.advance(pieceMs)
    await live.do(what, pieceMs)
    leftMs -= pieceMs
    if (leftMs === 0) return
  }
}

const message = (body: string): Happening => ({ kind: 'message', body, hasPicture: false })
const pass = (ms: number): Happening => ({ kind: 'pass', ms })

test('a usual life is the same under an actor and under the pure functions', async () => {
  await expectTwins(whatsapp, [
    message('oi'),
    pass(700),
    message('qual o horário?'),
    pass(1_500),
    message('de sábado'),
    pass(1_500),
    { kind: 'draft-fails' },
    pass(60_000),
    { kind: 'draft', output: goodDraft },
    pass(15 * 60_000),
    message('voltei'),
    pass(1_500),
    { kind: 'draft', output: { ...goodDraft, intent: 'handoff' } },
    pass(30 * 60_000),
    message('obrigado!'),
    message('sair'),
  ])
})

test('random lives are the same under an actor and under the pure functions', { timeout: 30_000 }, async () => {
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 10, maxLength: 40, size: 'max' }), async (happenings) => {
      const settings = { pendingExpiryMs: 90_017 }
      await expectTwins({ ...whatsapp, settings }, happenings)
      const pure = new PureConversation({ ...whatsapp, settings })
      for (const what of happenings) if (happen(pure, what)) reached.add(pure.state.split('.')[0]!)
    }),
    { numRuns: 80 },
  )
  expect(reached.size).toBeGreaterThanOrEqual(8)
})
