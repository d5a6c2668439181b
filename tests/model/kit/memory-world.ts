/**
 * A host over memory ports as a world: the same walks in milliseconds, without processes. Each walker has a node of its
 * own. `registration` may be another one than the model's: that is how mutants are walked.
 */
import type { EffectPerformer, EffectPerformers, EffectResult, LoggedEvent } from '../../../src/actors/ports.ts'
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { MachineRegistration } from '../../../src/machines/registry.ts'
import { isClosed } from '../../../src/machines/status.ts'
import { createMemoryWorld, toMessage } from '../../support/memory-world.ts'
import { toTranscription } from './heard.ts'
import type { Act, InvokedResult, Profile } from './model.ts'
import { nothingSeen } from './world.ts'
import type { Received, Receipt, Seen, Situation, World } from './world.ts'

type Place = {
  readonly world: Awaited<ReturnType<typeof createMemoryWorld>>
  readonly profile: Profile
  readonly user: string
  readonly received: Received[]
  readonly answer: (result: InvokedResult) => void
  deliveries: string
}

/** Enough for a commit, what follows from it, and the start of an effect. */
const momentMs = 20
const momentsMax = 50

export function createMemoryWalkWorld(registration: MachineRegistration): World & { close(): Promise<void> } {
  const places = new Map<string, Promise<Place>>()
  let walkers = 0
  const placeOf = async (user: string): Promise<Place> => {
    const place = await places.get(user)
    if (place === undefined) throw new Error(`nobody knows ${user}`)
    return place
  }
  return {
    newWalker(profile) {
      walkers += 1
      const scheme = profile.businessAddress.split(':')[0] ?? ''
      const user = `${scheme}:+1500${String(2_000_000 + walkers)}`
      places.set(user, openPlace(registration, profile, user))
      return { profile, user, word: `walk${walkers}w`, voiceUrl: 'https://example.org/voice.ogg' }
    },
    act: async (situation) => act(await placeOf(situation.walker.user), situation),
    async observe({ user }, receipt) {
      const place = await placeOf(user)
      for (let moment = 0; moment < momentsMax; moment += 1) {
        const seen = see(place)
        if (receipt(seen)) return seen
        await place.world.clock.advance(momentMs)
      }
      throw new Error('what was done was not taken')
    },
    async received({ user }, count) {
      const place = await placeOf(user)
      for (let moment = 0; moment < momentsMax && place.received.length < count; moment += 1) {
        await place.world.clock.advance(momentMs)
      }
      return place.received
    },
    // There is no API in memory: the rows are all there is to see.
    api: async () => null,
    async close() {
      // One that could not be opened has nothing to close.
      for (const place of await Promise.allSettled(places.values())) {
        if (place.status === 'fulfilled') await place.value.world.node.stop()
      }
    },
  }
}

async function openPlace(registration: MachineRegistration, profile: Profile, user: string): Promise<Place> {
  const received: Received[] = []
  const held: ((result: InvokedResult) => void)[] = []
  const { businessAddress: address, settings } = profile
  const performers = toPerformers(registration, received, held)
  const world = await createMemoryWorld({ registration, performers, address, settings })
  return { world, profile, user, received, answer: (result) => held.pop()?.(result), deliveries: '' }
}

function toPerformers(
  { machine, effectActions }: MachineRegistration,
  received: Received[],
  held: ((result: InvokedResult) => void)[],
): EffectPerformers {
  const invoked: EffectPerformer = {
    isVisible: false,
    perform: async ({ effect }) =>
      new Promise<EffectResult>((resolve) => {
        held.push((result) => resolve(toEffectResult(result, effect.params)))
      }),
  }
  const visible: EffectPerformer = {
    isVisible: true,
    async perform({ effect }) {
      const { body = '', mediaUrls = [] } = effect.params as unknown as Partial<Received>
      received.push({ body, mediaUrls })
      return { kind: 'done', output: null, providerId: `SMout${received.length}` }
    },
    resolve: async () => 'accepted-none',
  }
  return Object.fromEntries([
    ...Object.keys(machine.implementations.actors).map((source) => [source, invoked] as const),
    ...effectActions.map((action) => [action, visible] as const),
  ])
}

function toEffectResult(result: InvokedResult, input: Json): EffectResult {
  if (result.kind === 'heard') return { kind: 'done', output: toTranscription(result, input), providerId: null }
  if (result.kind === 'done') return { kind: 'done', output: result.output, providerId: null }
  return { kind: 'failed', error: { message: result.code, code: result.code } }
}

async function act(place: Place, situation: Situation): Promise<Receipt> {
  const { act: done, before, nextDueAt } = situation
  const { world, user, profile } = place
  const { businessAddress } = profile
  const address = { v: 1, businessAddress, userKey: user } as const
  const id = crypto.randomUUID()
  const publish = async (event: LoggedEvent): Promise<void> => void (await world.log.publish(event))
  switch (done.kind) {
    case 'say':
      await publish({ ...toMessage(user, done.text, id), businessAddress, media: done.media ?? [] })
      return ({ inbound }) => inbound.some(({ providerId }) => providerId === id)
    case 'pass': {
      const byMs = Math.max(1, nextDueAt - before.clockOffsetMs - world.clock.now())
      await publish({ ...address, type: 'clock.advanced', commandId: id, byMs })
      return ({ clockOffsetMs }) => clockOffsetMs >= before.clockOffsetMs + byMs
    }
    case 'result':
      return answer(place, before, done)
    case 'command': {
      const conversationId = before.conversations.at(-1)?.id ?? ''
      const issued = { commandId: id, conversationId, seenVersion: null, event: done.event, issuedAt: 0 }
      await publish({ ...address, type: 'command.issued', ...issued })
      return ({ commands }) => commands.some((command) => command.id === id)
    }
    case 'delivery': {
      const { status, errorCode } = done
      const told = { providerId: id, effectId: null, status, errorCode, receivedAt: 0, raw: {} }
      await publish({ ...address, type: 'delivery.updated', ...told })
      return ({ deliveries }) => deliveries.includes(id)
    }
  }
}

async function answer(place: Place, before: Seen, { result }: Extract<Act, { kind: 'result' }>): Promise<Receipt> {
  const effect = before.effects.findLast(({ isInvoked, status }) => isInvoked && status === 'running')
  place.answer(result)
  return ({ effects }) => effects.some(({ id, status }) => id === effect?.id && status !== 'running')
}

function see({ world, user }: Place): Seen {
  const { store } = world
  const commits = store.batches.flatMap(({ sessions }) => sessions)
  const session = commits.at(-1)
  if (session === undefined || user === '') return nothingSeen
  const conversations = [...store.conversations.values()]
  const openedAfter = new Map(
    commits
      .flatMap((commit) => commit.conversations.map((each) => [each.conversationId, each.opened] as const))
      .toReversed(),
  )
  return {
    clockOffsetMs: session.clockOffsetMs,
    speaker: session.speaker,
    optedOut: session.optedOut,
    isQuarantined: session.quarantined,
    conversations: conversations.map((each) => ({
      id: each.conversationId,
      status: each.status,
      version: each.version,
      timers: each.timers,
      nextTimerAt: each.nextTimerAt,
      assignedOperator: session.speaker.startsWith('operator:') ? session.speaker.slice('operator:'.length) : null,
      isClosed: isClosed(each.status),
      previousId: openedAfter.get(each.conversationId)?.previousId ?? null,
      snapshot: each.snapshot as JsonObject,
      hash: each.hash,
    })),
    journal: conversations.flatMap(({ conversationId, journal }) =>
      journal.map(({ version, event, toStatus, reason, machineVersion, occurredAt, hash }) => {
        return {
          conversationId,
          version,
          event: event as JsonObject,
          toStatus,
          reason,
          machineVersion,
          occurredAt,
          hash,
        }
      }),
    ),
    outbound: store.messages
      .filter(({ direction }) => direction === 'outbound')
      .map(({ author, body }) => ({ author, body })),
    inbound: store.messages
      .filter(({ direction }) => direction === 'inbound')
      .map(({ messageId: id, providerId, at }) => ({ id, providerId: providerId ?? '', at })),
    effects: [...store.effects.values()].map(({ effectId: id, childId, status }) => {
      return { id, isInvoked: childId !== null, status }
    }),
    commands: [...store.commands.values()].map(({ commandId: id, outcome, reason }) => ({ id, outcome, reason })),
    deliveries: commits.flatMap(({ deliveries }) => deliveries.map(({ providerId }) => providerId)).join(' '),
  }
}

export type Held = Json
