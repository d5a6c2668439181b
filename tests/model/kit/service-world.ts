/**
 * The running service as a world: a process of its own on a real NATS server and a real database. Everything goes
 * through its real doors: signed webhooks, the API, callbacks of the provider, the endpoint of the assistant; time is
 * the session's own clock. A door that does not answer is tried again, as its callers would.
 */
import { setTimeout } from 'node:timers/promises'

import type { LoggedEvent } from '../../../src/actors/ports.ts'
import type { ConversationItem } from '../../../src/actors/read-model.ts'
import { isClosed } from '../../../src/machines/status.ts'
import { openLogClient } from '../../support/conversation-client.ts'
import { startFakeAi } from '../../support/fake-ai.ts'
import { startFakeTranscriber } from '../../support/fake-transcriber.ts'
import { createProduction, messagesPath, toForm } from '../../support/production.ts'
import type { Production } from '../../support/production.ts'
import { accountSid, apiToken } from '../../support/service.ts'
import type { ServiceProcess } from '../../support/service.ts'
import { createHeldAssistant } from './held-assistant.ts'
import { createHeldEars, toRecording } from './held-ears.ts'
import { notesOf } from './heard.ts'
import type { Act, Model, Profile } from './model.ts'
import { createSentReader } from './sent-reader.ts'
import { createSessionReader } from './session-reader.ts'
import type { Receipt, Situation, Walker, World } from './world.ts'

export type ServiceWorld = World & {
  readonly production: Production
  readonly service: () => ServiceProcess
  /** How many messages the provider has accepted for each user by now. */
  countSent(): Promise<ReadonlyMap<string, number>>
  /** Kills the process, or stops it, and starts another one on the same log and database. */
  restart(how: 'kill' | 'stop', env?: { readonly [name: string]: string }): Promise<ServiceProcess>
  close(): Promise<void>
}

type Options = {
  /** Of these the service hosts the machines, and has the tenants. */
  readonly models: readonly Model[]
  readonly env?: { readonly [name: string]: string }
  /** How long a walker waits for what it did to be taken. */
  readonly patienceMs?: number
}

const retryEveryMs = 100
/** Nobody dies here: hundreds of walks on a busy machine must not cost the node its leases. */
const leaseMs = '20000'

export async function openServiceWorld({ models, env = {}, patienceMs = 120_000 }: Options): Promise<ServiceWorld> {
  const [ai, transcriber, production] = await Promise.all([startFakeAi(), startFakeTranscriber(), createProduction()])
  for (const { profiles } of models) await addTenants(production, profiles)
  const modules = models.flatMap(({ module }) => module ?? []).join(',')
  const start = async (more: { readonly [name: string]: string } = {}): Promise<ServiceProcess> =>
    production.start({
      ...ai.env,
      ...transcriber.env,
      DUOLOGUE_TEST_CLOCK: '1',
      DUOLOGUE_MACHINES: modules,
      DUOLOGUE_LEASE_MS: leaseMs,
      ...env,
      ...more,
    })
  let service = await start()
  const log = await openLogClient(production)
  const reader = createSessionReader(production.sql, patienceMs)
  const sent = createSentReader(production.fake.url, patienceMs)
  const assistant = createHeldAssistant(ai)
  const ears = createHeldEars(transcriber)
  let walkers = 0

  async function post(path: string, form: Record<string, string>): Promise<void> {
    await untilTaken(async () => {
      const response = await service.post(path, form)
      await response.arrayBuffer()
      return response.status
    }, patienceMs)
  }

  async function publish(event: LoggedEvent): Promise<void> {
    await log.publish(event)
  }

  const { fake } = production
  const told = new Set<string>()
  const doors = { post, publish, reader, sent, assistant, ears, fake, service: () => service, told, patienceMs }
  return {
    production,
    service: () => service,
    newWalker(profile) {
      walkers += 1
      const scheme = profile.businessAddress.split(':')[0] ?? ''
      const user = `${scheme}:+1500${String(2_000_000 + walkers)}`
      const word = `walk${walkers}w`
      return { profile, user, word, voiceUrl: fake.mediaUrl(toMediaSid(word)) }
    },
    act: async (situation) => actAtDoor(doors, situation),
    observe: async ({ user }, receipt) => reader.read(user, receipt),
    received: async ({ user }, count) => sent.atLeast(user, count),
    async api(conversationId) {
      const item = await untilAnswered(async () => {
        const response = await service.get(`/api/conversations/${conversationId}`)
        const body: unknown = await response.json()
        if (response.status !== 200) throw new Error(`the API answers ${JSON.stringify(body)}`)
        return body as ConversationItem
      }, patienceMs)
      const { status, version, speaker, assignedOperator, nextTimerAt, optedOut } = item
      const next = nextTimerAt === null ? null : Date.parse(nextTimerAt)
      return { status, version, speaker, assignedOperator, nextTimerAt: next, isClosed: isClosed(status), optedOut }
    },
    async countSent() {
      return new Map([...(await sent.all())].map(([user, messages]) => [user, messages.length]))
    },
    async restart(how, more = {}) {
      if (how === 'kill') await service.kill()
      else await service.stop()
      service = await start(more)
      return service
    },
    async close() {
      await log.close()
      await production.remove()
      await Promise.all([ai.close(), transcriber.close()])
    },
  }
}

type Doors = {
  readonly post: (path: string, form: Record<string, string>) => Promise<void>
  readonly publish: (event: LoggedEvent) => Promise<void>
  readonly reader: ReturnType<typeof createSessionReader>
  readonly sent: ReturnType<typeof createSentReader>
  readonly assistant: ReturnType<typeof createHeldAssistant>
  readonly ears: ReturnType<typeof createHeldEars>
  readonly fake: Production['fake']
  readonly service: () => ServiceProcess
  /** `<sid> <status>` of the callbacks that walks have made. */
  readonly told: Set<string>
  readonly patienceMs: number
}

async function actAtDoor(doors: Doors, situation: Situation): Promise<Receipt> {
  const { act } = situation
  switch (act.kind) {
    case 'say':
      return say(doors, situation, act)
    case 'pass':
      return pass(doors, situation)
    case 'result':
      return answer(doors, situation, act)
    case 'command':
      return command(doors, situation, act)
    case 'delivery':
      return tell(doors, situation, act)
  }
}

type Of<Kind extends Act['kind']> = Extract<Act, { readonly kind: Kind }>

async function say({ post, fake }: Doors, { walker }: Situation, { text, media = [] }: Of<'say'>): Promise<Receipt> {
  const sid = `SM${crypto.randomUUID().replaceAll('-', '')}`
  if (media.length > 0) await fake.addMedia('audio/ogg', toRecording(walker.word), toMediaSid(walker.word))
  const attached = media.flatMap(({ url, contentType }, index) => [
    [`MediaUrl${index}`, url],
    [`MediaContentType${index}`, contentType],
  ])
  const form = { ...toInboundForm(walker, text, sid), NumMedia: String(media.length) }
  await post(messagesPath, { ...form, ...(Object.fromEntries(attached) as Record<string, string>) })
  return ({ inbound }) => inbound.some(({ providerId }) => providerId === sid)
}

async function pass({ publish }: Doors, { walker, before, nextDueAt }: Situation): Promise<Receipt> {
  const byMs = Math.max(1, Math.ceil(nextDueAt - before.clockOffsetMs - Date.now()))
  const { businessAddress } = walker.profile
  const commandId = crypto.randomUUID()
  await publish({ v: 1, type: 'clock.advanced', businessAddress, userKey: walker.user, commandId, byMs })
  return ({ clockOffsetMs }) => clockOffsetMs >= before.clockOffsetMs + byMs
}

function toMediaSid(word: string): string {
  return `ME${word}`
}

async function answer(
  doors: Doors,
  { walker, before, openEffect }: Situation,
  { result }: Of<'result'>,
): Promise<Receipt> {
  const effect = before.effects.findLast(({ isInvoked, status }) => isInvoked && status === 'running')
  const isSettled: Receipt = ({ effects }) =>
    effects.some(({ id, status }) => id === effect?.id && status !== 'running')
  const world = notesOf(openEffect).length > 0 ? doors.ears : doors.assistant
  await world.answer(walker.word, result, async () => isSettled(await doors.reader.read(walker.user, () => true)))
  return isSettled
}

async function command(doors: Doors, situation: Situation, { name, event }: Of<'command'>): Promise<Receipt> {
  const { walker, before } = situation
  const conversation = before.conversations.at(-1)
  if (conversation === undefined) throw new Error('there is no conversation to command')
  const key = crypto.randomUUID()
  const commandId = `${conversation.id}.${key}`
  const { businessAddress } = walker.profile
  if (name === null) {
    const address = { businessAddress, userKey: walker.user }
    const issued = { commandId, conversationId: conversation.id, seenVersion: null, event, issuedAt: Date.now() }
    await doors.publish({ v: 1, type: 'command.issued', ...address, ...issued })
  } else {
    const { type: _type, ...body } = event
    await untilTaken(async () => {
      const response = await fetch(`${doors.service().url}/api/conversations/${conversation.id}/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json', 'idempotency-key': key },
        body: JSON.stringify(body),
      })
      const text = await response.text()
      // Refused by the chart: an answer like any other.
      if (response.status === 400) throw new WrongAct(`${name}: ${text}`)
      return response.status === 409 ? 200 : response.status
    }, doors.patienceMs)
  }
  return ({ commands }) => commands.some(({ id }) => id === commandId)
}

/** What the fake provider tells by itself; the log keeps one callback for each message and status. */
const toldAnyway: ReadonlySet<string> = new Set(['sent', 'delivered', 'read'])

/** Of the conversation's latest message, by the URL that it was sent with, when there is one to tell this of. */
async function tell(
  doors: Doors,
  { walker, before }: Situation,
  { status, errorCode }: Of<'delivery'>,
): Promise<Receipt> {
  const conversation = before.conversations.at(-1)
  const ofConversation = doors.sent
    .of(walker.user)
    .filter(({ callback }) => callback?.includes(conversation?.id ?? '-'))
  const message = ofConversation.findLast(({ sid }) => !toldAnyway.has(status) && !doors.told.has(`${sid} ${status}`))
  doors.told.add(`${message?.sid} ${status}`)
  const callback = typeof message?.callback !== 'string' ? null : new URL(message.callback)
  const told = crypto.randomUUID()
  const form = {
    AccountSid: accountSid,
    MessageSid: message?.sid ?? `SM${told.replaceAll('-', '')}`,
    MessageStatus: status,
    From: toTwilio(walker.profile.businessAddress),
    To: toTwilio(walker.user),
    RawDlrDoneDate: told,
    ...(errorCode !== null && { ErrorCode: errorCode }),
  }
  await doors.post(callback === null ? '/webhooks/twilio/status' : `${callback.pathname}${callback.search}`, form)
  return ({ deliveries }) => deliveries.includes(told)
}

function toInboundForm({ user, profile }: Walker, text: string, sid: string): Record<string, string> {
  const { ExternalUserId: _id, ...form } = toForm({
    From: toTwilio(user),
    To: toTwilio(profile.businessAddress),
    Body: text,
    MessageSid: sid,
    SmsSid: sid,
    SmsMessageSid: sid,
    WaId: user.replace(/\D/gu, ''),
  })
  if (user.startsWith('whatsapp:')) return form
  const { WaId: _wa, ChannelMetadata: _channel, ProfileName: _name, MessageType: _type, ...sms } = form
  return sms
}

/** Twilio names the addresses of SMS without a scheme. */
function toTwilio(address: string): string {
  return address.replace(/^sms:/u, '')
}

/** The walk itself is wrong: trying again does not help. */
class WrongAct extends Error {}

async function untilTaken(attempt: () => Promise<number>, patienceMs: number): Promise<void> {
  let last = ''
  await untilAnswered(async () => {
    const status = await attempt()
    last = String(status)
    if (status !== 200 && status !== 202) throw new Error(`the door answers ${last}`)
  }, patienceMs)
}

async function untilAnswered<T>(attempt: () => Promise<T>, patienceMs: number): Promise<T> {
  const until = performance.now() + patienceMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (error instanceof WrongAct || performance.now() > until) throw error
      await setTimeout(retryEveryMs)
    }
  }
}

async function addTenants({ sql }: Production, profiles: readonly Profile[]): Promise<void> {
  for (const { name, businessAddress, settings } of profiles) {
    await sql(
      `with tenant as (
         insert into duologue.tenants (name, settings) values ($1, $2::text::jsonb)
         on conflict (name) do update set settings = excluded.settings returning id)
       insert into duologue.channels (tenant_id, address) select id, $3 from tenant`,
      // A walk says in seconds what people say in days: it is not to wait for the pace of messages to one user.
      [`walkers: ${name}`, JSON.stringify({ ...settings, paceIntervalMs: 0 }), businessAddress],
    )
  }
}
