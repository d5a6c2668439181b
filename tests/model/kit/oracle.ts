/**
 * The oracle: each conversation of a session is a plain XState actor on a simulated clock, with promises for its
 * effects and a list for its messages. It shares no line with the host: what the host makes of a chart is compared with
 * what XState itself makes of it. It is told the moment of every event, since the service has its own, and nothing else.
 */
import { setImmediate } from 'node:timers/promises'

import { createActor, fromPromise, SimulatedClock } from 'xstate'
import type { AnyMachineSnapshot, EventObject } from 'xstate'

import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { MachineRegistration, Opening } from '../../../src/machines/registry.ts'
import { isClosed } from '../../../src/machines/status.ts'
import type { Status } from '../../../src/machines/status.ts'
import { toTranscription } from './heard.ts'
import type { Act, InvokedResult, Profile } from './model.ts'
import { nothingWalked, toStateName, toWalked } from './walked.ts'
import type { Microstep, Walked } from './walked.ts'

export type SentMessage = {
  readonly author: string
  readonly body: string
  readonly mediaUrls: readonly string[]
  readonly contentSid: string | null
}

export type JournalLine = { readonly type: string; readonly toStatus: Status; readonly reason: string | null }

export type ConversationView = {
  readonly status: Status
  readonly version: number
  readonly speaker: string
  /** Due moments by timer. */
  readonly timers: { readonly [timerId: string]: number }
  readonly value: Json
  readonly context: JsonObject
  readonly journal: readonly JournalLine[]
}

type OpenEffect = {
  readonly input: Json
  readonly resolve: (output: Json) => void
  readonly reject: (error: Error) => void
}

/** What the service says of an event that it took: when it was, and what it called the message. */
export type Facts = { readonly at: number; readonly messageId: string }

export function createOracle(registration: MachineRegistration, { businessAddress, settings }: Profile) {
  const conversations: ReturnType<typeof openConversation>[] = []
  const sent: SentMessage[] = []
  const wanted: SentMessage[] = []
  const channel = { businessAddress, settings }
  let optedOut = false

  function open(event: { readonly type: string }, at: number): void {
    const previous = conversations.at(-1)
    if (previous !== undefined && !isClosed(previous.status())) return
    const opening: Opening = {
      ...channel,
      at,
      previous:
        previous === undefined
          ? null
          : {
              conversationId: 'previous',
              status: previous.status(),
              reason: previous.view().journal.at(-1)?.reason ?? null,
              context: previous.view().context,
            },
    }
    if (!registration.opensOn(event, opening)) return
    const send = (message: SentMessage): void => {
      wanted.push(message)
      // What the user does not want is not sent, whatever the chart says.
      if (!optedOut) sent.push(message)
    }
    conversations.push(openConversation(registration, registration.toInput(opening), at, send))
  }

  return {
    /** Does to the conversation what an act does to the service's. */
    async take(act: Act, { at, messageId }: Facts): Promise<Walked> {
      if (act.kind === 'say') {
        const event = { type: 'message.received', messageId, body: act.text, media: act.media ?? [], at }
        const consent = registration.toConsent(event, channel)
        if (consent !== null) optedOut = consent === 'withdrawn'
        open(event, at)
        return (await conversations.at(-1)?.send(event, at)) ?? nothingWalked
      }
      const current = conversations.at(-1)
      if (current === undefined) return nothingWalked
      switch (act.kind) {
        case 'pass':
          return current.pass()
        case 'result': {
          if (act.result.kind === 'heard') {
            const output = toTranscription(act.result, current.openEffect())
            const consent = registration.toConsent({ type: 'xstate.done.actor.transcribe', output } as never, channel)
            if (consent !== null) optedOut = consent === 'withdrawn'
          }
          return current.end(act.result, at)
        }
        case 'command': {
          const read = registration.readCommand(act.event)
          return typeof read === 'string' ? nothingWalked : current.send({ ...read, at } as unknown as EventObject, at)
        }
        case 'delivery': {
          const { status, errorCode } = act
          return current.send({ type: 'delivery.updated', effectId: null, status, errorCode, at } as EventObject, at)
        }
      }
    },
    /** When the next timer is due; null when none is armed. */
    nextDueAt: () => Math.min(Infinity, ...Object.values(conversations.at(-1)?.view().timers ?? {})),
    /** The input of the effect that the current conversation waits for; null when it waits for none. */
    openEffect: () => conversations.at(-1)?.openEffect() ?? null,
    state: () => conversations.at(-1)?.state() ?? '(new)',
    /** Oldest first. */
    views: (): readonly ConversationView[] => conversations.map((conversation) => conversation.view()),
    refusal: (command: JsonObject): string =>
      conversations.at(-1)?.refusal(command) ?? 'the session has no conversation',
    /** What the user gets. */
    sent: (): readonly SentMessage[] => sent,
    /** What the chart sends, to a user who wants no messages too. */
    wanted: (): readonly SentMessage[] => wanted,
    optedOut: () => optedOut,
    stop(): void {
      for (const conversation of conversations) conversation.stop()
    },
  }
}

export type Oracle = ReturnType<typeof createOracle>

function openConversation(
  registration: MachineRegistration,
  input: Json,
  openedAt: number,
  send: (message: SentMessage) => void,
) {
  const clock = new SimulatedClock()
  const effects: OpenEffect[] = []
  const microsteps: Microstep[] = []
  const armedAt = new Map<string, { readonly scheduled: object; readonly dueAt: number }>()
  let before: AnyMachineSnapshot | null = null
  let actionsTaken = 0
  const implementations = {
    actors: toHeldActors(registration, effects),
    actions: Object.fromEntries(
      registration.effectActions.map((name) => [name, (_: unknown, params: unknown) => send(toSent(params))]),
    ),
  }
  const actor = createActor(registration.machine.provide(implementations as never), {
    input,
    clock,
    inspect(inspection) {
      if (inspection.type === '@xstate.action') actionsTaken += isOrder(inspection.action) ? 1 : 0
      if (inspection.type !== '@xstate.microstep' || inspection.actorRef !== actor) return
      const { event, _transitions: transitions } = inspection
      if (before !== null) microsteps.push({ eventType: event.type, before, transitions })
      before = inspection.snapshot as AnyMachineSnapshot
    },
  })
  const snapshotOf = (): AnyMachineSnapshot => actor.getSnapshot() as AnyMachineSnapshot
  const now = (): number => openedAt + clock.now()
  const journal: JournalLine[] = []

  /** A step is what changed the snapshot or asked for something; the journal has exactly these. */
  function note(type: string, stored: string | null): void {
    const snapshot = snapshotOf()
    if (snapshot.status !== 'active') throw new Error(`the machine ended: ${String(snapshot.error)}`)
    if (stored !== null && actionsTaken === 0 && stored === toStored(snapshot)) return
    journal.push({ type, toStatus: registration.toStatus(snapshot), reason: registration.toReason(snapshot) })
    noteTimers()
  }

  /** The scheduler keeps delays; the moment of arming is ours to note. */
  function noteTimers(): void {
    const scheduled = (actor.system.getSnapshot() as { readonly _scheduledEvents: Scheduled })['_scheduledEvents']
    const armed = new Map(Object.values(scheduled).map((timer) => [timer.id, timer]))
    for (const timerId of armedAt.keys()) if (!armed.has(timerId)) armedAt.delete(timerId)
    for (const [timerId, timer] of armed) {
      if (armedAt.get(timerId)?.scheduled !== timer)
        armedAt.set(timerId, { scheduled: timer, dueAt: now() + timer.delay })
    }
  }

  async function during(type: string, work: () => void): Promise<Walked> {
    const stored = toStored(snapshotOf())
    microsteps.length = 0
    actionsTaken = 0
    work()
    // Promises settle: a turn of the event loop, no time.
    await setImmediate()
    note(type, stored)
    return toWalked(microsteps)
  }

  function moveTo(at: number): void {
    if (at > now()) clock.increment(at - now())
  }

  function view(): ConversationView {
    const snapshot = snapshotOf()
    return {
      status: registration.toStatus(snapshot),
      version: journal.length,
      speaker: registration.toSpeaker(snapshot),
      timers: Object.fromEntries([...armedAt].map(([timerId, { dueAt }]) => [timerId, dueAt])),
      value: snapshot.value as Json,
      context: JSON.parse(JSON.stringify(snapshot.context)) as JsonObject,
      journal,
    }
  }

  actor.start()
  before = snapshotOf()
  note('conversation.opened', null)

  return {
    async send(event: EventObject, at: number): Promise<Walked> {
      moveTo(at)
      return during(event.type, () => actor.send(event))
    },
    async pass(): Promise<Walked> {
      const [next] = [...armedAt].toSorted(([, a], [, b]) => a.dueAt - b.dueAt)
      if (next === undefined) return nothingWalked
      const [timerId, { dueAt }] = next
      armedAt.delete(timerId)
      return during(timerId, () => moveTo(dueAt))
    },
    async end(result: InvokedResult, at: number): Promise<Walked> {
      moveTo(at)
      const effect = effects.pop()
      if (effect === undefined) return nothingWalked
      const [childId] = Object.keys(snapshotOf().children)
      if (result.kind !== 'failed') {
        const output = result.kind === 'heard' ? toTranscription(result, effect.input) : result.output
        return during(`xstate.done.actor.${childId}`, () => effect.resolve(output))
      }
      const error = Object.assign(new Error(result.code), { code: result.code })
      return during(`xstate.error.actor.${childId}`, () => effect.reject(error))
    },
    openEffect: () => effects.at(-1)?.input ?? null,
    status: () => registration.toStatus(snapshotOf()),
    state: () => toStateName(snapshotOf()),
    view,
    refusal: (command: JsonObject) => registration.toRefusal(snapshotOf(), command),
    stop: () => void actor.stop(),
  }
}

export function toOperator(speaker: string): string | null {
  return speaker.startsWith('operator:') ? speaker.slice('operator:'.length) : null
}

type Scheduled = { readonly [key: string]: { readonly id: string; readonly delay: number } }

/** Every invoked effect waits until the walk says how it ends, or until the chart no longer wants it. */
function toHeldActors({ machine }: MachineRegistration, effects: OpenEffect[]) {
  const held = fromPromise<Json, Json>(({ input, signal }) => {
    return new Promise((resolve, reject) => {
      effects.push({ input, resolve, reject })
      signal.addEventListener('abort', () => {
        const place = effects.findIndex((effect) => effect.reject === reject)
        if (place >= 0) effects.splice(place, 1)
      })
    })
  })
  return Object.fromEntries(Object.keys(machine.implementations.actors).map((source) => [source, held]))
}

/** Of its own event, assigned or raised at once, nobody outside sees anything. */
function isOrder({ type, params }: { readonly type: string; readonly params: unknown }): boolean {
  if (type === 'xstate.log' || type === 'xstate.assign') return false
  return type !== 'xstate.raise' || (params as { readonly delay?: number } | undefined)?.delay !== undefined
}

function toStored({ value, context, children }: AnyMachineSnapshot): string {
  return JSON.stringify([value, context, Object.keys(children)])
}

function toSent(params: unknown): SentMessage {
  const { author = '', body = '', mediaUrls = [], contentSid = null } = params as Partial<SentMessage>
  return { author, body, mediaUrls, contentSid }
}
