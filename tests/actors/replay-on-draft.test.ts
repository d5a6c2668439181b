/** Journals that a machine wrote, run on drafts of it: what differs, and that nothing else does. */
import fc from 'fast-check'
import { assign, fromPromise, setup } from 'xstate'
import { describe, expect, test } from 'vitest'

import { replayOnDraft } from '../../src/actors/replay-on-draft.ts'
import type { DraftReplay, JournalledEvent } from '../../src/actors/replay-on-draft.ts'
import { applyEvent, openConversation } from '../../src/actors/step.ts'
import { toLinkHash } from '../../src/actors/take-step.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'

const beginning = 1_764_000_000_000

type Given = { readonly inMs: number; readonly event: JsonObject }

/** The journal that a host would have written: events at their moments, timers when they are due. */
function write(registration: MachineRegistration, input: JsonObject, given: readonly Given[]): JournalledEvent[] {
  const journal: JournalledEvent[] = []
  const timers = new Map<string, { dueAt: number; event: JsonObject }>()
  let snapshot = ''
  let hash = ''
  const take = (event: JsonObject, occurredAt: number): void => {
    const step =
      event['type'] === 'conversation.opened'
        ? openConversation(registration, event['input'] ?? null)
        : applyEvent(registration, snapshot, event)
    if (step === null) return
    hash = toLinkHash(hash, event, step.snapshot)
    snapshot = step.snapshot
    const { version: machineVersion = '' } = registration.machine
    journal.push({ version: journal.length + 1, event, hash, machineVersion, occurredAt })
    for (const order of step.orders) {
      if (order.kind === 'arm-timer')
        timers.set(order.timerId, { dueAt: occurredAt + order.delayMs, event: order.event })
      if (order.kind === 'cancel-timer') timers.delete(order.timerId)
    }
  }
  const passTime = (moment: number): void => {
    for (;;) {
      const next = [...timers]
        .filter(([, { dueAt }]) => dueAt < moment)
        .toSorted(([, a], [, b]) => a.dueAt - b.dueAt)[0]
      if (next === undefined) return
      timers.delete(next[0])
      take(next[1].event, next[1].dueAt)
    }
  }
  let now = beginning
  take({ type: 'conversation.opened', input }, now)
  for (const { inMs, event } of given) {
    now += inMs
    passTime(now)
    take('at' in event ? { ...event, at: now } : event, now)
  }
  return journal
}

// ── A small machine, for each rule ───────────────────────────────────────────────────────────────

type SmallOptions = {
  readonly waitMs?: number
  readonly isLoud?: boolean
  readonly greeting?: string
  readonly throws?: boolean
  readonly childId?: string
  readonly ignoresBye?: boolean
  readonly hasDetour?: boolean
}

function createSmall(options: SmallOptions = {}): MachineRegistration {
  const { waitMs = 1_000, isLoud = false, greeting = 'hello', throws = false, childId = 'answer' } = options
  const machine = setup({
    types: { context: {} as { count: number }, events: {} as { type: 'hello' | 'ask' | 'bye'; text?: string } },
    actions: { sendMessage: (_, _params: object) => {} },
    guards: {
      isLoud: ({ event }) => {
        if (throws && event.type === 'ask') throw new Error('the guard does not know')
        return isLoud || event.text === 'LOUD'
      },
    },
    actors: { draftReply: fromPromise(async () => null) },
    delays: { wait: waitMs },
  }).createMachine({
    id: 'small',
    version: '1',
    context: { count: 0 },
    initial: 'PENDING',
    states: {
      PENDING: {
        initial: 'waiting',
        states: {
          waiting: { after: { wait: 'late' } },
          late: {},
          asked: {
            invoke: { id: childId, src: 'draftReply', onDone: options.hasDetour === true ? 'detour' : 'waiting' },
          },
          detour: { always: 'waiting' },
        },
        on: {
          hello: {
            actions: [
              { type: 'sendMessage', params: { body: greeting } },
              assign({ count: ({ context }) => context.count + 1 }),
            ],
          },
          ask: [{ guard: 'isLoud', target: 'PROGRESS' }, { target: '.asked' }],
          ...(options.ignoresBye === true ? {} : { bye: 'USER_CLOSED' }),
        },
      },
      PROGRESS: { on: { bye: 'USER_CLOSED' } },
      USER_CLOSED: { tags: 'closed' },
    },
  })
  return {
    ...conversationRegistration,
    machine,
    versions: [],
    toStatus: (snapshot) =>
      Object.keys(Object(typeof snapshot.value === 'string' ? { [snapshot.value]: 1 } : snapshot.value))[0] as never,
    toReason: () => null,
    toSpeaker: () => 'assistant',
    effectActions: ['sendMessage'],
  }
}

const own = createSmall()
const journal = write(own, {}, [
  { inMs: 100, event: { type: 'hello' } },
  { inMs: 3_000, event: { type: 'ask', text: 'what?' } },
  { inMs: 500, event: { type: 'xstate.done.actor.answer', actorId: 'answer', output: 1 } },
  { inMs: 10_000, event: { type: 'bye' } },
])
const until = beginning + 3_600_000

function run(options: SmallOptions, entries: readonly JournalledEvent[] = journal, end = until): DraftReplay {
  return replayOnDraft({ own, draft: createSmall(options) }, entries, end)
}

function differences(replay: DraftReplay) {
  return replay.kind === 'differs' ? replay : null
}

test('the journal has the timer, the result and the closing', () => {
  expect(journal.map(({ event }) => (event as JsonObject)['type'])).toEqual([
    'conversation.opened',
    'hello',
    'xstate.after.wait.small.PENDING.waiting',
    'ask',
    'xstate.done.actor.answer',
    'xstate.after.wait.small.PENDING.waiting',
    'bye',
  ])
})

describe('the same machine', () => {
  test('differs nowhere, whenever it is asked', () => {
    for (const end of [0, beginning, until, until * 2])
      expect(run({}, journal, end)).toEqual({ kind: 'same', steps: 7, ends: 'USER_CLOSED' })
  })

  test('differs nowhere either where the journal ends in the middle', () => {
    for (let length = 1; length <= journal.length; length += 1) {
      expect(run({}, journal.slice(0, length)).kind).toBe('same')
    }
  })
})

test('another text is another send, at the step where it was sent', () => {
  const replay = differences(run({ greeting: 'good day' }))
  expect(replay).toMatchObject({
    differences: ['sends'],
    ends: { was: 'USER_CLOSED', would: 'USER_CLOSED' },
    breaks: null,
  })
  expect(replay?.first).toMatchObject({
    version: 2,
    event: { type: 'hello' },
    was: { sends: [{ action: 'sendMessage', params: { body: 'hello' } }] },
    would: { sends: [{ action: 'sendMessage', params: { body: 'good day' } }] },
  })
})

test('a guard that answers otherwise leads elsewhere, and a result that nobody waits for reaches nobody', () => {
  const replay = differences(run({ isLoud: true }))
  expect(replay?.differences).toEqual(['asks'])
  expect(replay?.first).toMatchObject({
    version: 4,
    was: { value: { PENDING: 'asked' } },
    would: { value: 'PROGRESS' },
  })
  const short = differences(run({ isLoud: true }, journal.slice(0, 5)))
  expect(short).toMatchObject({ differences: ['status', 'asks'], ends: { was: 'PENDING', would: 'PROGRESS' } })
})

test('a child under another id is asked for anew, and the result of the old one is not its own', () => {
  const replay = differences(run({ childId: 'reply' }, journal.slice(0, 5)))
  expect(replay?.differences).toEqual(['asks'])
  expect(replay?.first.version).toBe(4)
})

test('what the draft ignores is no step', () => {
  const replay = differences(run({ ignoresBye: true }))
  expect(replay).toMatchObject({ differences: ['status'], ends: { was: 'USER_CLOSED', would: 'PENDING' } })
  expect(replay?.first).toMatchObject({ version: 7, would: { note: 'the draft ignores it', sends: [] } })
})

test('a draft that throws is in quarantine from there on', () => {
  const replay = differences(run({ throws: true }))
  expect(replay?.differences).toEqual(['breaks', 'status', 'asks'])
  expect(replay?.breaks).toContain('the guard does not know')
  expect(replay?.first).toMatchObject({ version: 4, would: { note: expect.stringContaining('the draft throws') } })
})

test('the same outcome by another way is told as such', () => {
  const replay = differences(run({ hasDetour: true }))
  // The detour ends in the same state within the step: nothing is seen of it.
  expect(replay).toBeNull()
  const longer = run({ waitMs: 900_000 })
  expect(differences(longer)?.differences).toEqual(['way'])
})

describe('timers', () => {
  test('a shorter one fires at its own moment, before the next event', () => {
    const replay = differences(run({ waitMs: 200 }))
    expect(replay?.first).toMatchObject({
      version: 2,
      was: null,
      at: beginning + 200,
      would: { value: { PENDING: 'late' } },
    })
  })

  test('a longer one does not fire when the old one did, and fires when it is due', () => {
    const entries = journal.slice(0, 3)
    const early = differences(run({ waitMs: 5_000 }, entries, beginning + 4_000))
    expect(early?.first).toMatchObject({
      version: 3,
      would: { note: 'the timer of the draft is due later', value: { PENDING: 'waiting' } },
    })
    const late = replayOnDraft({ own, draft: createSmall({ waitMs: 5_000 }) }, entries, beginning + 6_000)
    expect(differences(late)?.differences).toEqual(['way'])
  })

  test('one that is due only after the end does not fire', () => {
    const entries = journal.slice(0, 2)
    expect(run({ waitMs: 5_000 }, entries, beginning + 5_000 - 1)).toEqual({ kind: 'same', steps: 2, ends: 'PENDING' })
    expect(differences(run({ waitMs: 5_000 }, entries, beginning + 5_000))?.first).toMatchObject({
      was: null,
      at: beginning + 5_000,
    })
  })
})

describe('a journal that cannot be run', () => {
  test('was changed', () => {
    const changed = journal.map((entry) =>
      entry.version === 4 ? { ...entry, event: { type: 'ask', text: 'LOUD' } } : entry,
    )
    expect(run({}, changed)).toEqual({ kind: 'unknown', reason: 'the hash is another one' })
  })

  test('is of a chart that is gone, or empty', () => {
    const old = journal.map((entry) => ({ ...entry, machineVersion: '0' }))
    expect(run({}, old)).toEqual({ kind: 'unknown', reason: "this build has no chart of version 0 of 'small'" })
    expect(run({}, [])).toEqual({ kind: 'unknown', reason: 'the journal is empty' })
  })
})

// ── The conversation, with random lives ──────────────────────────────────────────────────────────

const bodies = ['hello', 'how much is it?', 'I want to talk to a person', 'obrigado!', 'sair', 'one more thing', 'STOP']
const life = fc.array(
  fc.record({
    inMs: fc.constantFrom(200, 2_000, 12_000, 1_000_000, 90_000_000),
    event: fc.oneof(
      fc.constantFrom(...bodies).map((body) => ({ type: 'message.received', messageId: 'm', body, media: [], at: 0 })),
      fc.constant({
        type: 'xstate.done.actor.draftReply',
        actorId: 'draftReply',
        output: { intent: 'answer', text: 'Here it is.', confidence: 1 },
      }),
      fc.constant({ type: 'handoff.requested', reason: null, operatorId: null, at: 0 }),
      fc.constant({ type: 'operator.assigned', operatorId: 'ana', at: 0 }),
    ),
  }),
  { maxLength: 14 },
)
const input = conversationRegistration.toInput({
  at: beginning,
  businessAddress: 'whatsapp:+14155238886',
  settings: {},
  previous: null,
}) as JsonObject

test('a thousand random conversations differ nowhere on the same machine', () => {
  let steps = 0
  fc.assert(
    fc.property(life, (given) => {
      const written = write(conversationRegistration, input, given)
      steps += written.length
      const pair = { own: conversationRegistration, draft: conversationRegistration }
      expect(replayOnDraft(pair, written, beginning + 10 ** 10).kind).toBe('same')
    }),
    { numRuns: 1_000 },
  )
  expect(steps).toBeGreaterThan(5_000)
}, 60_000)

test('with one guard changed exactly those conversations differ in which it was asked and answers otherwise', () => {
  const neverPerson = {
    ...conversationRegistration,
    machine: conversationRegistration.machine.provide({ guards: { asksForPerson: () => false } }),
  }
  let [touched, untouched] = [0, 0]
  fc.assert(
    fc.property(life, (given) => {
      const written = write(conversationRegistration, input, given)
      // The old guard's yes is in the journal: the step whose message asks for a person enters the handoff.
      let asked = false
      let snapshot = ''
      for (const { event } of written) {
        const plain = event as JsonObject
        const before = snapshot
        const step =
          before === ''
            ? openConversation(conversationRegistration, plain['input'] ?? null)
            : applyEvent(conversationRegistration, before, plain)
        snapshot = step?.snapshot ?? before
        const wasOutside = !before.includes('"HUMAN_HANDOFF"')
        if (
          before !== '' &&
          wasOutside &&
          plain['body'] === 'I want to talk to a person' &&
          step?.status === 'HUMAN_HANDOFF'
        )
          asked = true
      }
      const replay = replayOnDraft({ own: conversationRegistration, draft: neverPerson }, written, beginning + 10 ** 10)
      expect(replay.kind).toBe(asked ? 'differs' : 'same')
      if (asked) touched += 1
      else untouched += 1
    }),
    { numRuns: 1_200 },
  )
  expect(touched).toBeGreaterThan(20)
  expect(untouched).toBeGreaterThan(20)
}, 60_000)
