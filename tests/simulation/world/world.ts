/** Everything that one simulation consists of, and what the scenario does to it. */
import type { EffectRequest, LoggedCommand, LoggedEvent, LoggedMessage } from '../../../src/actors/ports.ts'
import { StoreRefused } from '../../../src/actors/ports.ts'
import { toSessionKey, toToken } from '../../../src/actors/session-key.ts'
import { conversationRegistration } from '../../../src/machines/conversation/registration.ts'
import type { JsonObject } from '../../../src/machines/json.ts'
import type { MachineRegistration } from '../../../src/machines/registry.ts'
import { checkDraft, checkSend } from '../checks/effect-watch.ts'
import { foreignEvents } from '../checks/final-checks.ts'
import { History } from '../checks/history.ts'
import { CheckingWatch } from '../checks/store-watch.ts'
import type { SimulatedProcess } from '../engine/process.ts'
import { createRandom } from '../engine/random.ts'
import { Scheduler } from '../engine/scheduler.ts'
import { SimulatedStore } from '../store/simulated-store.ts'
import { Faults } from './faults.ts'
import { toTraceLines } from './trace-lines.ts'
import type { StoreState } from './links.ts'
import { machinePoison, storePoison } from './make-scenario.ts'
import { poisonMachine } from './poison-machine.ts'
import type { OperatorDeed, Scenario } from './scenario.ts'
import { SimulatedLog } from './simulated-log.ts'
import { createSimulatedNode } from './simulated-node.ts'
import type { SimulatedNode } from './simulated-node.ts'
import { SimulatedTwilio } from './simulated-twilio.ts'

export type Trace = (line: string) => void

const businessAddresses = ['whatsapp:+14155238886', 'sms:+14155238887'] as const

export class World {
  readonly scenario: Scenario
  readonly trace: Trace | null
  readonly scheduler: Scheduler
  readonly faults: Faults
  readonly history = new History()
  readonly log: SimulatedLog
  readonly server: StoreState
  readonly watch: CheckingWatch
  readonly twilio: SimulatedTwilio
  readonly registration: MachineRegistration = poisonMachine(conversationRegistration, machinePoison)
  readonly nodes: (SimulatedNode | null)[] = []
  readonly hasPoison: boolean
  /** Webhooks and callbacks that the log has not taken yet. */
  underWay = 0
  #ids = 0
  #names = 0

  constructor(scenario: Scenario, trace: Trace | null = null) {
    this.scenario = scenario
    this.trace = trace
    const random = createRandom(scenario.seed ^ 0x5eed)
    this.scheduler = new Scheduler(random)
    this.faults = new Faults(scenario.rates, random)
    this.log = new SimulatedLog(this.scheduler, this.faults, scenario.partitions)
    const { scheduler, faults, log, history } = this
    this.watch = new CheckingWatch({ tables: () => this.tables, log, history, faults, scheduler })
    this.server = { isDown: false, store: this.#openStore() }
    this.hasPoison = scenario.actions.some((action) => action.kind === 'message' && action.body.startsWith('☠'))
    this.twilio = new SimulatedTwilio({
      scheduler,
      faults,
      tell: (line) => this.tell(line),
      report: (event) => void this.#publish(event),
      onSend: (request) => checkSend({ store: this.server.store, watch: this.watch, history, log }, request),
    })
    if (trace === null) return
    scheduler.onStep = (label, owner) => {
      // What every node does all the time says nothing.
      if (!/claim|timer$|due$/u.test(label)) this.tell(`${owner?.name ?? 'world'} · ${label}`)
    }
  }

  get tables() {
    return this.server.store.tables
  }

  readonly onDraft = (request: EffectRequest): void => checkDraft(this.tables, this.history, request)

  /** In the order of their making, whoever makes them. */
  readonly nextId = (): string => {
    this.#ids += 1
    return `01900000-0000-7000-8000-${this.#ids.toString(16).padStart(12, '0')}`
  }

  tell(line: string): void {
    this.trace?.(`${((this.scheduler.now - 1_800_000_000_000) / 1_000).toFixed(3).padStart(10)} ${line}`)
  }

  #openStore(): SimulatedStore {
    const { scheduler, scenario, watch, faults } = this
    const channels = businessAddresses.map((businessAddress, index) => ({
      channelId: `channel-${index}`,
      tenantId: `tenant-${index}`,
      businessAddress,
      businessToken: toToken(businessAddress),
      settings: scenario.settings,
    }))
    return new SimulatedStore({
      channels,
      partitions: scenario.partitions,
      now: () => scheduler.now,
      spend: () => {
        const isSlow = faults.happens('store-transaction-slow')
        return scheduler.pause(
          null,
          isSlow ? scheduler.random.int(500, 8_000) : scheduler.random.int(0, 4),
          'store writes',
        )
      },
      mayLag: (scenario.rates['store-stale-read'] ?? 0) > 0,
      watch: {
        committing: (batch, text) => {
          if (text.includes(storePoison)) throw new StoreRefused('the store cannot take this')
          watch.committing(batch, text)
        },
        started: (...started) => watch.started(...started),
        committed: (batch, accepted, outcome) => {
          watch.committed(batch, accepted, outcome)
          if (this.trace !== null) for (const line of toTraceLines(batch, accepted, outcome)) this.tell(line)
        },
      },
    })
  }

  // ── Nodes ────────────────────────────────────────────────────────────────────────────────────

  startNode(index: number, name: string | null = null): void {
    this.#names += 1
    const made = createSimulatedNode(this, name ?? `node-${index}-${this.#names}`)
    this.nodes[index] = made
    this.tell(`${made.owner.name} begins`)
    made.node.start().then(
      () => {
        made.hasStarted = true
      },
      () => {
        // As the real program: a start that fails ends the process, and somebody starts it again.
        this.kill(made.owner)
      },
    )
  }

  /** Its memory is gone; what it has sent is still on its way. It is started again after a while. */
  kill(owner: SimulatedProcess, againAfterMs = 1_000, keepsName = false): void {
    if (owner.isDead) return
    owner.isDead = true
    const index = this.nodes.findIndex((made) => made?.owner === owner)
    if (index < 0) return
    this.tell(`${owner.name} is killed`)
    this.nodes[index] = null
    this.scheduler.after(null, againAfterMs, 'node starts again', () => {
      if (this.nodes[index] === null) this.startNode(index, keepsName ? owner.name : null)
    })
  }

  /** A clean stop; then another one begins in its place. */
  async restart(index: number): Promise<void> {
    const made = this.nodes[index]
    if (made === null || made === undefined || !made.hasStarted) return
    await this.stop(made)
    if (this.nodes[index] === null) this.startNode(index)
  }

  async stop(made: SimulatedNode): Promise<void> {
    const index = this.nodes.indexOf(made)
    const ended = made.node.stop()
    await Promise.race([ended, this.scheduler.pause(null, 40_000, 'a stop takes too long')])
    if (made.owner.isDead) return
    made.owner.isDead = true
    if (index >= 0) this.nodes[index] = null
  }

  // ── What comes from outside ──────────────────────────────────────────────────────────────────

  receive(user: number, id: string, body: string): void {
    const message = this.#toMessage(user, id, body)
    this.history.sent.set(id, { sessionKey: toSessionKey(message.businessAddress, message.userKey), body })
    const { faults, scheduler } = this
    const delayMs = faults.happens('webhook-reordered') ? scheduler.random.int(100, 2_000) : 0
    scheduler.after(null, delayMs, 'webhook', () => void this.#publish(message))
    if (!faults.happens('webhook-duplicate')) return
    scheduler.after(null, delayMs + scheduler.random.int(0, 4_000), 'webhook again', () => void this.#publish(message))
  }

  /** An operator looks at the conversation as it is stored and asks something of it. */
  command(user: number, commandId: string, does: OperatorDeed, looks: boolean): void {
    const { businessAddress, userKey } = this.#toMessage(user, '', '')
    const conversationId = this.tables.sessionByKey(toSessionKey(businessAddress, userKey))?.conversationId ?? null
    const conversation = conversationId === null ? undefined : this.tables.conversations.get(conversationId)
    if (conversationId === null || conversation === undefined) return
    this.faults.count(`command ${does}`)
    const command: LoggedCommand = {
      v: 1,
      type: 'command.issued',
      businessAddress,
      userKey,
      commandId,
      conversationId,
      seenVersion: looks ? conversation.version : null,
      event: { type: `operator.${does}`, operatorId: 'ana', ...toDetails(does) },
      issuedAt: this.scheduler.now,
    }
    void this.#publish(command)
    if (this.faults.happens('webhook-duplicate')) void this.#publish(command)
  }

  foreign(user: number): void {
    const { businessAddress, userKey } = this.#toMessage(user, 'foreign', '')
    this.log.append(
      'message',
      toSessionKey(businessAddress, userKey),
      new TextEncoder().encode(foreignEvents[user % foreignEvents.length] ?? ''),
    )
  }

  #toMessage(user: number, providerId: string, body: string): LoggedMessage {
    const isSms = user % 4 === 3
    const userKey = `${isSms ? 'sms' : 'whatsapp'}:+1500555${String(1_000 + user)}`
    return {
      v: 1,
      type: 'message.received',
      businessAddress: businessAddresses[isSms ? 1 : 0],
      userKey,
      replyAddress: userKey,
      providerId,
      body,
      media: [],
      profileName: null,
      receivedAt: this.scheduler.now,
      raw: {},
    }
  }

  /** What the webhook does: it answers 200 when the log has answered, else Twilio comes again. */
  async #publish(event: LoggedEvent): Promise<void> {
    const { scheduler, faults, log, history } = this
    this.underWay += 1
    for (;;) {
      await scheduler.pause(null, scheduler.random.int(1, 10), 'webhook publishes')
      if (!log.isDown) {
        log.publish(event)
        if (!faults.happens('log-ack-lost')) break
        await scheduler.pause(null, 5_000, 'webhook waits')
      }
      await scheduler.pause(null, scheduler.random.int(500, 4_000), 'webhook again')
    }
    this.underWay -= 1
    if (event.type === 'message.received') history.acknowledged.add(event.providerId)
  }
}

function toDetails(does: OperatorDeed): JsonObject {
  if (does === 'replied') return { body: 'a person answers' }
  if (does === 'closed') return { as: 'agent', reason: 'done' }
  return does === 'escalated' ? { reason: 'too hard' } : {}
}
