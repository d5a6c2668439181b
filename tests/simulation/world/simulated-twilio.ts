/**
 * Twilio in memory: a ledger of the messages that it accepted, the list that a resolver searches, and the status
 * callbacks, which come in any order, twice, before the answer to the send, or never, and say at times that what was
 * accepted was not delivered. The sender follows the rules
 * of src/infra/twilio: nothing is written at or after the deadline, and only an answer proves anything.
 */
import type { EffectPerformer, EffectRequest, EffectResult, LoggedDelivery, Store } from '../../../src/actors/ports.ts'
import type { SimulatedProcess } from '../engine/process.ts'
import type { Scheduler } from '../engine/scheduler.ts'
import type { Faults } from './faults.ts'

export type Accepted = {
  readonly sid: string
  readonly effectId: string
  readonly sessionId: string
  readonly channelId: string
  readonly businessAddress: string
  readonly replyAddress: string
  readonly body: string
  readonly at: number
  /** Accepted, and never delivered. */
  readonly isLost: boolean
}

export type TwilioOptions = {
  readonly scheduler: Scheduler
  readonly faults: Faults
  /** A callback's event, on its way to the log. */
  readonly report: (event: LoggedDelivery, sentAt: number) => void
  readonly tell: (line: string) => void
  readonly onSend: (request: EffectRequest) => void
}

const timeoutMs = 8_000
/** One of each kind in the table of failures whose wait is over before a simulation has to be settled. */
const errorCodes = ['21211', '30007', '63016', '21610', '63010', '21617', '21617'] as const
const lossCodes = ['30003', '63016', '63010', '63010', '21610', '30006'] as const
type Fate = 'accepted' | 'lost' | 'accepted-answer-lost' | 'accepted-late' | 'busy' | 'refused'

export class SimulatedTwilio {
  readonly ledger: Accepted[] = []
  readonly #options: TwilioOptions

  constructor(options: TwilioOptions) {
    this.#options = options
  }

  createSender(owner: SimulatedProcess, monotonic: () => number, store: Store): EffectPerformer {
    return {
      isVisible: true,
      perform: (request) => this.#send(owner, monotonic, request),
      resolve: (request) => this.#find(owner, request, store),
    }
  }

  #send(owner: SimulatedProcess, monotonic: () => number, request: EffectRequest): Promise<EffectResult> {
    const { scheduler } = this.#options
    const { random } = scheduler
    if (monotonic() >= request.deadlineMonotonicMs) {
      return Promise.resolve({
        kind: 'retry',
        afterMs: random.int(200, 1_000),
        reason: 'the deadline had passed',
        isAttempt: false,
      })
    }
    this.#options.onSend(request)
    const fate = this.#drawFate()
    this.#options.tell(`${owner.name} sends ${request.effect.effectId}: ${fate}`)
    return new Promise((resolve) => {
      const answer = (afterMs: number, result: EffectResult): void =>
        void scheduler.after(owner, afterMs, 'twilio answers', () => resolve(result))
      const giveUp = (): void => answer(timeoutMs, { kind: 'uncertain', reason: 'Twilio did not answer in time' })
      if (fate === 'lost') return giveUp()
      if (fate === 'accepted-late') {
        giveUp()
        scheduler.after(null, random.int(timeoutMs, 20_000), 'twilio accepts late', () => this.#accept(request))
        return
      }
      scheduler.after(null, random.int(1, 60), 'twilio', () => {
        if (fate === 'busy')
          answer(5, { kind: 'retry', afterMs: random.int(500, 3_000), reason: 'Twilio asks to slow down' })
        else if (fate === 'refused')
          answer(5, { kind: 'failed', error: { message: 'refused', code: random.pick(errorCodes) } })
        else {
          const { sid } = this.#accept(request)
          if (fate === 'accepted-answer-lost') giveUp()
          else answer(random.int(1, 120), { kind: 'done', output: { sid, status: 'queued' }, providerId: sid })
        }
      })
    })
  }

  #drawFate(): Fate {
    const { faults } = this.#options
    if (faults.happens('twilio-timeout-before-accept')) return 'lost'
    if (faults.happens('twilio-timeout-after-accept')) return 'accepted-answer-lost'
    if (faults.happens('twilio-accepted-late')) return 'accepted-late'
    if (faults.happens('twilio-429')) return 'busy'
    return faults.happens('twilio-refused') ? 'refused' : 'accepted'
  }

  #accept({ effect, session }: EffectRequest): Accepted {
    const { scheduler, faults } = this.#options
    const accepted: Accepted = {
      sid: `SM-out-${this.ledger.length + 1}`,
      effectId: effect.effectId,
      sessionId: session.sessionId,
      channelId: session.channelId,
      businessAddress: session.businessAddress,
      replyAddress: session.replyAddress,
      body: (effect.params as { readonly body?: string } | null)?.body ?? '',
      at: scheduler.now,
      isLost: faults.happens('twilio-undelivered'),
    }
    this.ledger.push(accepted)
    this.#scheduleCallbacks(accepted)
    return accepted
  }

  #scheduleCallbacks(accepted: Accepted): void {
    const { scheduler, faults } = this.#options
    const { random } = scheduler
    const { isLost } = accepted
    const code = isLost ? random.pick(lossCodes) : null
    const statuses: LoggedDelivery['status'][] = isLost
      ? random.pick([['sent', 'undelivered'], ['failed']])
      : ['sent', 'delivered']
    const moments = statuses.map((_, index) => (index + 1) * random.int(200, 2_500))
    if (faults.happens('callback-early')) moments[0] = 0
    if (faults.happens('callback-reordered')) moments.reverse()
    for (const [index, status] of statuses.entries()) {
      if (faults.happens('callback-lost')) continue
      const times = faults.happens('callback-duplicate') ? 2 : 1
      for (let time = 0; time < times; time += 1) {
        const delayMs = (moments[index] ?? 0) + time * random.int(0, 5_000)
        scheduler.after(null, delayMs, 'twilio calls back', () => this.#callBack(accepted, status, code))
      }
    }
  }

  #callBack(
    { sid, effectId, businessAddress, replyAddress, at }: Accepted,
    status: LoggedDelivery['status'],
    code: string | null,
  ): void {
    const event: LoggedDelivery = {
      v: 1,
      type: 'delivery.updated',
      businessAddress,
      userKey: replyAddress,
      providerId: sid,
      effectId,
      status,
      errorCode: status === 'undelivered' || status === 'failed' ? code : null,
      receivedAt: this.#options.scheduler.now,
      raw: { MessageStatus: status },
    }
    this.#options.report(event, at)
  }

  async #find(
    owner: SimulatedProcess,
    { effect, session }: EffectRequest,
    store: Store,
  ): ReturnType<NonNullable<EffectPerformer['resolve']>> {
    const { scheduler, faults } = this.#options
    await scheduler.pause(owner, scheduler.random.int(1, 300), 'twilio lists')
    if (faults.happens('twilio-list-failed')) throw new Error('Twilio does not answer')
    const body = (effect.params as { readonly body?: string } | null)?.body ?? ''
    const sids = this.ledger
      .filter((each) => each.replyAddress === session.replyAddress && each.body === body)
      .filter((each) => each.businessAddress === session.businessAddress && each.at >= (effect.startedAt ?? 0) - 2_000)
      .map(({ sid }) => sid)
    this.#options.tell(`${owner.name} asks for ${effect.effectId}: listed ${sids.join(' ') || 'nothing'}`)
    if (sids.length === 0) return 'accepted-none'
    const known = await store.findKnownProviderIds(session.channelId, sids)
    const [providerId, ...others] = sids.filter((sid) => !known.has(sid))
    if (providerId === undefined) return 'accepted-none'
    return others.length === 0 ? { providerId } : 'ambiguous'
  }
}
