/** A whole node over memory ports and a virtual clock: what fast tests of the host drive. */
import type { Host } from '../../src/actors/host.ts'
import { createNode } from '../../src/actors/node.ts'
import type { EffectPerformer, EffectPerformers, EffectRequest, EffectResult } from '../../src/actors/ports.ts'
import type { LoggedMessage, Telemetry } from '../../src/actors/ports.ts'
import { conversationRegistration } from '../../src/machines/conversation/registration.ts'
import type { JsonObject } from '../../src/machines/json.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { createMemoryLog } from './memory-log.ts'
import type { MemoryLog } from './memory-log.ts'
import { createMemoryStore } from './memory-store.ts'
import type { MemoryStore } from './memory-store.ts'
import { createVirtualClock } from './virtual-clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

export const businessAddress = 'whatsapp:+14155238886'

export type World = Awaited<ReturnType<typeof createMemoryWorld>>

type Options = {
  readonly address?: string
  readonly settings?: JsonObject
  readonly registration?: MachineRegistration
  readonly performers?: EffectPerformers
  /** How long leases last: they are renewed three times as often, which takes time when days pass. */
  readonly leaseMs?: number
  /** False: as with a real provider. */
  readonly mayAdvanceClock?: boolean
  /** The world of a node that is gone: same log, store and time. */
  readonly after?: { clock: VirtualClock; log: MemoryLog; store: MemoryStore }
  /** The world of a node that goes on beside this one. */
  readonly beside?: { clock: VirtualClock; log: MemoryLog; store: MemoryStore }
  readonly nodeId?: string
}

/** A node that runs, alone, on an empty log and an empty store. */
export async function createMemoryWorld({
  address = businessAddress,
  settings = {},
  registration,
  performers,
  mayAdvanceClock = true,
  leaseMs = 3_000,
  after,
  beside,
  nodeId = after === undefined ? 'node-1' : 'node-2',
}: Options = {}) {
  const before = after ?? beside
  const clock = before?.clock ?? createVirtualClock()
  const log = before?.log ?? createMemoryLog(clock)
  const store = before?.store ?? createMemoryStore({ clock, businessAddress: address, settings })
  const drafts: EffectRequest[] = []
  const sent: { body: string; effectId: string }[] = []
  const counts = new Map<string, number>()
  // A successor's ids must not be its predecessor's.
  const firstId = (after?.store.batches.length ?? 0) * 1_000
  let ids = firstId
  // Of the form that commands name conversations by; nodes beside each other make their own.
  const idPrefix =
    beside === undefined ? '0198c0de-0000-7000-8000' : `0198c0de-0000-7000-80${nodeId.at(-1)?.padStart(2, '0')}`
  const machine = registration ?? conversationRegistration
  const host: Host = {
    clock,
    log,
    store,
    ids: { next: () => `${idPrefix}-${String((ids += 1)).padStart(12, '0')}` },
    random: () => 0,
    reached: () => {},
    commandSettled: () => {},
    emitted: () => {},
    telemetry: createCountingTelemetry(counts),
    registry: { [machine.machine.id]: machine },
    performers: {
      draftReply: echoDraft(drafts),
      transcribe: unheard,
      sendMessage: recordSend(sent),
      ...performers,
    },
    settings: {
      nodeId,
      defaultMachine: machine.machine.id,
      leaseMs,
      isSoleOwner: after !== undefined,
      mayAdvanceClock,
      resolveAfterMs: [2_000, 10_000, 30_000],
    },
  }
  const node = createNode(host)
  await node.start()
  await clock.advance(20)
  let messages = 0
  return {
    clock,
    log,
    store,
    host,
    node,
    drafts,
    sent,
    counts,
    /** Publishes a user's message and lets the node work for a moment. */
    async say(body: string, { user = 'whatsapp:+15005550006', providerId = '' } = {}) {
      messages += 1
      await log.publish(toMessage(user, body, providerId || `SM${messages}`))
      await clock.advance(20)
    },
    only() {
      const [conversation] = [...store.conversations.values()]
      if (conversation === undefined || store.conversations.size !== 1) {
        throw new Error(`there are ${store.conversations.size} conversations`)
      }
      return conversation
    },
  }
}

export function toMessage(userKey: string, body: string, providerId: string): LoggedMessage {
  return {
    v: 1,
    type: 'message.received',
    businessAddress,
    userKey,
    replyAddress: userKey,
    providerId,
    body,
    media: [],
    profileName: null,
    receivedAt: 0,
    raw: { Body: body },
  }
}

/** Nobody reads voice messages here. */
const unheard: EffectPerformer = {
  isVisible: false,
  perform: async () => ({ kind: 'failed', error: { message: 'nobody reads them', code: 'not-configured' } }),
}

function echoDraft(drafts: EffectRequest[]): EffectPerformers[string] {
  return {
    isVisible: false,
    async perform(request) {
      drafts.push(request)
      const { messages } = request.effect.params as unknown as { messages: { body: string }[] }
      const reply = `you said: ${messages.map(({ body }) => body).join(' / ')}`
      return { kind: 'done', output: { reply, intent: 'continue', confidence: 1 }, providerId: null }
    },
  }
}

function recordSend(sent: { body: string; effectId: string }[]): EffectPerformers[string] {
  return {
    isVisible: true,
    async perform({ effect }): Promise<EffectResult> {
      const { body } = effect.params as { body: string }
      sent.push({ body, effectId: effect.effectId })
      return { kind: 'done', output: { sid: `SMout${sent.length}` }, providerId: `SMout${sent.length}` }
    },
    resolve: async () => 'accepted-none',
  }
}

function createCountingTelemetry(counts: Map<string, number>): Telemetry {
  return {
    count(name, labels = {}, by = 1) {
      const key = [name, ...Object.values(labels)].join(':')
      counts.set(key, (counts.get(key) ?? 0) + by)
    },
    observe() {},
    gauge() {},
    log(level, message, fields) {
      if (process.env['DUOLOGUE_TEST_LOG']) console.log(level, message, fields)
    },
  }
}
