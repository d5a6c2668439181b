/**
 * Lives of a conversation, each from its first message to an end that does not move any more, as a user, an operator
 * and Twilio lead them: they wait for what they would see, and send again what was not answered, whatever happens to
 * the service meanwhile.
 */
import type { Cluster } from '../support/cluster.ts'
import { postSigned } from '../support/cluster-load.ts'
import { messagesPath, toForm } from '../support/production.ts'
import { accountSid, apiToken, business, until } from '../support/service.ts'

export const channels = {
  ordinary: business,
  /** Falls silent soon. */
  idling: 'whatsapp:+14155238887',
  /** Falls silent soon and expires soon after. */
  expiring: 'whatsapp:+14155238888',
  /** Its drafts are always too late. */
  late: 'whatsapp:+14155238889',
} as const

export const channelSettings: { readonly [address: string]: object } = {
  [channels.ordinary]: { quietMs: 150 },
  [channels.idling]: { quietMs: 100, idleTimeoutMs: 600 },
  [channels.expiring]: { quietMs: 100, idleTimeoutMs: 300, idleExpiryMs: 1_500 },
  [channels.late]: { quietMs: 100, answeringMs: 40 },
}

export type LifecyclePath = {
  readonly name: string
  readonly channel: keyof typeof channels
  /** How many times the user hears from us. */
  readonly answers: { readonly min: number; readonly max: number }
  readonly inbound: number
  readonly ends: string
  /** Where it may end instead when timers had to wait: they fire behind the log, and the log was away. */
  readonly endsWhenTimersWait?: string
  lead(user: UserOfPath): Promise<void>
}

export type UserOfPath = ReturnType<typeof createUser>

const stepMs = 90_000

/** `apiUrl`: where operators reach the API. */
export function createUser(
  cluster: Cluster,
  address: string,
  channel: keyof typeof channels,
  apiUrl: string = cluster.publicUrl,
) {
  const to = channels[channel]
  const answers = async () => cluster.fake.sent(address)
  const user = {
    address,
    answers,
    async say(...bodies: readonly string[]): Promise<void> {
      await Promise.all(
        bodies.map(async (body) => {
          const form = toForm({
            From: address,
            To: to,
            Body: body,
            WaId: address.replace(/\D/gu, ''),
            ExternalUserId: '',
          })
          await until(async () => (await postSigned(cluster.publicUrl, messagesPath, form)) === 200, stepMs)
        }),
      )
    },
    async hears(count: number): Promise<void> {
      let heard = 0
      await until(
        async () => {
          heard = (await answers()).length
          return heard >= count
        },
        stepMs,
        () => `${address} heard ${heard} times, not ${count}`,
      )
    },
    async reaches(status: string): Promise<void> {
      let last = ''
      await until(
        async () => {
          last = (await user.newest())?.status ?? 'nothing'
          return last === status
        },
        stepMs,
        () => `${address} is in ${last}, not in ${status}`,
      )
    },
    async newest(): Promise<{ id: string; status: string } | undefined> {
      const [row] = await cluster.sql(
        `select conversation.id::text, conversation.status from duologue.conversations as conversation
        join duologue.sessions as session on session.id = conversation.session_id
        where session.user_key = $1 order by conversation.id desc limit 1`,
        [address],
      )
      return row as { id: string; status: string } | undefined
    },
    /** An operator asks until the outcome is known; the key makes it one command. */
    async operate(command: string, body: object): Promise<void> {
      const id = (await user.newest())?.id ?? ''
      let last = ''
      await until(
        async () => {
          const answer = await fetch(`${apiUrl}/api/conversations/${id}/${command}`, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${apiToken}`,
              'content-type': 'application/json',
              'idempotency-key': command,
            },
            body: JSON.stringify(body),
            signal: AbortSignal.timeout(8_000),
          }).catch(() => null)
          last = answer === null ? 'no answer' : `${answer.status} ${await answer.text().catch(() => '')}`
          return last.includes('"applied"')
        },
        stepMs,
        () => `${command} was answered with ${last}`,
      )
    },
    /** Twilio tells what became of the newest answer. */
    async hearsLate(...statuses: readonly string[]): Promise<void> {
      const answer = (await answers()).at(-1)
      const callback = new URL(answer?.statusCallback ?? '')
      for (const status of statuses) {
        const form = {
          SmsSid: answer?.sid ?? '',
          SmsStatus: status,
          MessageStatus: status,
          To: address,
          MessageSid: answer?.sid ?? '',
          AccountSid: accountSid,
          From: to,
          ApiVersion: '2010-04-01',
        }
        await until(
          async () => (await postSigned(callback.origin, callback.pathname + callback.search, form)) === 200,
          stepMs,
        )
      }
      await until(async () => {
        const rows = await cluster.sql('select status from duologue.deliveries where provider_id = $1', [answer?.sid])
        return rows[0]?.['status'] === 'read'
      }, stepMs)
    },
    fault: async (kind: string, count: number, more: object = {}) =>
      cluster.fake.fault(kind, count, { to: address, ...more }),
  }
  return user
}

const once = { min: 1, max: 1 }
const twice = { min: 2, max: 2 }

export const lifecyclePaths: readonly LifecyclePath[] = [
  {
    name: 'answer',
    channel: 'ordinary',
    answers: once,
    inbound: 1,
    ends: 'PROGRESS',
    async lead(user) {
      await user.say('hello')
      await user.hears(1)
    },
  },
  {
    name: 'burst',
    channel: 'ordinary',
    // Those that had to be sent again may come too late for the first turn.
    answers: { min: 1, max: 3 },
    inbound: 3,
    ends: 'PROGRESS',
    async lead(user) {
      await user.say('hello', 'are you there?', 'I have a question')
      await user.hears(1)
    },
  },
  {
    name: 'goodbye',
    channel: 'ordinary',
    answers: twice,
    inbound: 2,
    ends: 'USER_CLOSED',
    async lead(user) {
      await user.say('hello')
      await user.hears(1)
      await user.say('goodbye')
      await user.hears(2)
    },
  },
  {
    name: "handoff by the user's word",
    channel: 'ordinary',
    answers: once,
    inbound: 1,
    ends: 'HUMAN_HANDOFF',
    async lead(user) {
      await user.say('I want to talk to a person')
      await user.hears(1)
    },
  },
  {
    name: 'idle and back',
    channel: 'idling',
    answers: { min: 3, max: 3 },
    inbound: 3,
    ends: 'USER_CLOSED',
    async lead(user) {
      await user.say('hello')
      await user.hears(1)
      await user.reaches('IDLE_TIMEOUT')
      await user.say('one more thing')
      await user.hears(2)
      await user.say('goodbye')
      await user.hears(3)
    },
  },
  {
    name: 'expiry',
    channel: 'expiring',
    // After its end nothing is said any more: an outage that is longer than the expiry comes before the answer.
    answers: { min: 0, max: 1 },
    inbound: 1,
    ends: 'EXPIRED',
    async lead(user) {
      await user.say('hello')
      await user.reaches('EXPIRED')
    },
  },
  {
    name: 'three late drafts, then a person',
    channel: 'late',
    answers: once,
    inbound: 1,
    ends: 'HUMAN_HANDOFF',
    // The draft comes before the timer that would have called it late.
    endsWhenTimersWait: 'PROGRESS',
    async lead(user) {
      await user.say('hello')
      await user.hears(1)
    },
  },
  {
    name: 'a send that Twilio refuses',
    channel: 'ordinary',
    answers: { min: 0, max: 0 },
    inbound: 1,
    ends: 'PROGRESS',
    async lead(user) {
      await user.fault('refused', 99, { code: 63013 })
      await user.say('hello')
    },
  },
  {
    name: 'a send whose answer is lost',
    channel: 'ordinary',
    answers: once,
    inbound: 1,
    ends: 'PROGRESS',
    async lead(user) {
      await user.fault('accept-then-drop', 1, { callbacks: false })
      await user.say('hello')
      await user.hears(1)
    },
  },
  {
    name: 'STOP',
    channel: 'ordinary',
    answers: once,
    inbound: 3,
    ends: 'USER_CLOSED',
    async lead(user) {
      await user.say('hello')
      await user.hears(1)
      await user.say('STOP')
      await user.reaches('USER_CLOSED')
      await user.say('STOP')
    },
  },
  {
    name: 'delivery reports after the end',
    channel: 'ordinary',
    answers: twice,
    inbound: 2,
    ends: 'USER_CLOSED',
    async lead(user) {
      await user.fault('none', 9, { callbacks: false })
      await user.say('hello')
      await user.hears(1)
      await user.say('goodbye')
      await user.hears(2)
      await user.hearsLate('sent', 'delivered', 'read', 'delivered')
    },
  },
  {
    name: 'an operator takes over, replies and closes',
    channel: 'ordinary',
    answers: twice,
    inbound: 1,
    ends: 'AGENT_CLOSED',
    async lead(user) {
      await user.say('I want to talk to a person')
      await user.hears(1)
      await user.operate('assign', { operatorId: 'ana' })
      await user.operate('reply', { operatorId: 'ana', body: 'Good morning, how may I help?' })
      await user.hears(2)
      await user.operate('close', { operatorId: 'ana', as: 'agent', reason: 'done' })
    },
  },
]
