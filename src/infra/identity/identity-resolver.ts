/**
 * Whose session an event belongs to, asked before it is published: an event under any key of a user goes straight to the
 * log of the one session that the key leads to, behind everything of it that was acknowledged before.
 *
 * 1. The store decides, in one row per key; whoever comes first with a key makes it. Nothing is published under a key
 *    that is not written down, but a single phone number, which its session writes down.
 * 2. What was answered is remembered as long as the generation of the links is known to be the same, asked less than
 *    `freshForMs` ago. A link that is being changed holds its keys first, for longer than that.
 * 3. A store that is silent is not waited for: the event goes where its key led when it was last known, or to its own
 *    key, and says that nobody was asked. Its owner asks again before it decides anything.
 */
import type { Clock, LoggedEvent, Telemetry } from '../../actors/ports.ts'
import type { Home, IdentityAsk, IdentityStore } from '../../actors/identity-store.ts'

/** How old the knowledge of the links may be. Whoever changes one waits longer. */
export const freshForMs = 1_000
const askEveryMs = 400
/** Nobody has written for so long: nobody needs to ask. */
const idleAfterMs = 10_000
const answerWithinMs = 1_500
const silentForMs = 2_000
const asksPerCall = 100
/** What arrives while the first of them waits goes along: a call costs more than an ask. */
const lingerMs = 4
const rememberedMax = 50_000
/** Twilio waits for 15 s. */
const heldWithinMs = 8_000
const heldPauseMs = 50

const phoneKey = /^(?:whatsapp|sms):\+?\d+$/

export type IdentityResolver = {
  /** The event as it is to be published. Rejects when its keys are held for longer than a webhook may take. */
  resolve<Event extends LoggedEvent>(event: Event): Promise<Event>
  /** Learns at once of what this process has changed. */
  refresh(): Promise<void>
  stop(): void
}

export type ResolverOptions = {
  readonly store: IdentityStore
  readonly clock: Clock
  readonly telemetry: Telemetry
  /** No other node exists: links change in this process only, and it says so. */
  readonly isAlone: boolean
}

type Waiting = { readonly ask: IdentityAsk; readonly resolve: (home: Home | null) => void }

export function createIdentityResolver(options: ResolverOptions): IdentityResolver {
  const resolver = new Resolver(options)
  resolver.start()
  return {
    resolve: async (event) => resolver.resolve(event),
    refresh: async () => resolver.refresh(),
    stop: () => resolver.stop(),
  }
}

class Resolver {
  readonly #options: ResolverOptions
  readonly #homes = new Map<string, string>()
  /** Made while the store was silent, and worth nothing when it speaks again. */
  readonly #guesses = new Map<string, string>()
  #generation = -1
  #askedAt = -Infinity
  #wantedAt = -Infinity
  #silentUntil = -Infinity
  #refreshing: Promise<void> | null = null
  #waiting: Waiting[] = []
  #isAsking = false
  #cancel: () => void = () => {}

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#options.isAlone) return
    this.#cancel = this.#options.clock.schedule(askEveryMs, () => {
      const isWanted = this.#now() - this.#wantedAt < idleAfterMs
      void (isWanted ? this.refresh() : Promise.resolve()).finally(() => this.start())
    })
  }

  stop(): void {
    this.#cancel()
  }

  async resolve<Event extends LoggedEvent>(event: Event): Promise<Event> {
    if (event.type !== 'message.received' && event.type !== 'delivery.updated') return event
    const { businessAddress } = event
    const userKeys = event.identities ?? [event.userKey]
    const giveUpAt = this.#now() + heldWithinMs
    this.#wantedAt = this.#now()
    for (;;) {
      const home = await this.#homeOf(businessAddress, userKeys)
      if (home === null) return this.#unresolved(event, userKeys)
      if (!home.isHeld) {
        if (home.isSplit) this.#options.telemetry.count('identity_splits')
        return toResolved(event, userKeys, home.home)
      }
      if (this.#now() >= giveUpAt) throw new Error('the keys of the event are being moved; try again')
      await pause(this.#options.clock, heldPauseMs)
    }
  }

  async refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = null
    })
    return this.#refreshing
  }

  async #homeOf(businessAddress: string, userKeys: readonly string[]): Promise<Home | null> {
    const remembered = toName(businessAddress, userKeys)
    if (!this.#isFresh() && !this.#isSilent()) await this.refresh()
    const known = this.#isFresh() ? this.#homes.get(remembered) : undefined
    if (known !== undefined) return { home: known, isHeld: false, isSplit: false }
    if (this.#isSilent()) return null
    const claims = userKeys.length > 1 || !phoneKey.test(userKeys[0] ?? '')
    return this.#ask({ businessAddress, userKeys, claims })
  }

  #unresolved<Event extends LoggedEvent>(event: Event, userKeys: readonly string[]): Event {
    const names = [userKeys, ...userKeys.map((key) => [key])].map((keys) => toName(event.businessAddress, keys))
    const [home = userKeys[0] ?? event.userKey] = names.flatMap(
      (name) => this.#homes.get(name) ?? this.#guesses.get(name) ?? [],
    )
    // The same process meets the keys again, maybe one of them alone, before the store answers.
    remember(this.#guesses, names, home)
    this.#options.telemetry.count('identities_unresolved')
    const own = { ...event, userKey: home }
    return event.type === 'message.received' ? { ...own, identities: userKeys, unresolved: true } : own
  }

  async #refresh(): Promise<void> {
    const askedAt = this.#now()
    const generation = await this.#within(this.#options.store.identityGeneration())
    if (generation !== null) this.#learn(generation, askedAt)
  }

  #learn(generation: number, askedAt: number): void {
    if (generation < this.#generation) return
    if (generation > this.#generation) this.#homes.clear()
    this.#generation = generation
    this.#askedAt = Math.max(this.#askedAt, askedAt)
  }

  async #ask(ask: IdentityAsk): Promise<Home | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ ask, resolve })
      if (this.#isAsking) return
      this.#isAsking = true
      void this.#askAll()
    })
  }

  /** What arrives while a call is under way goes into the next one. */
  async #askAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (this.#waiting.length < asksPerCall) await pause(this.#options.clock, lingerMs)
      const leaving = this.#waiting.slice(0, asksPerCall)
      this.#waiting = this.#waiting.slice(asksPerCall)
      const askedAt = this.#now()
      const answer = await this.#within(this.#options.store.resolveIdentities(leaving.map(({ ask }) => ask)))
      if (answer !== null) this.#learn(answer.generation, askedAt)
      for (const [index, { ask, resolve }] of leaving.entries()) {
        const home = answer?.homes[index] ?? null
        const isCurrent = answer?.generation === this.#generation
        // Two keys that lead apart are told of every time.
        if (home !== null && !home.isHeld && !home.isSplit && isCurrent) {
          const keys = [ask.userKeys, ...ask.userKeys.map((key) => [key])]
          const names = keys.map((each) => toName(ask.businessAddress, each))
          remember(this.#homes, names, home.home)
        }
        resolve(home)
      }
    }
    this.#isAsking = false
  }

  async #within<T>(answer: Promise<T>): Promise<T | null> {
    let cancel = (): void => {}
    const silence = new Promise<null>((resolve) => {
      cancel = this.#options.clock.schedule(answerWithinMs, () => resolve(null))
    })
    const told = await Promise.race([answer.catch(() => null), silence])
    cancel()
    this.#silentUntil = told === null ? this.#now() + silentForMs : -Infinity
    if (told !== null) this.#guesses.clear()
    return told
  }

  #isFresh(): boolean {
    if (this.#generation < 0) return false
    // What was known stays known while the store says nothing.
    return this.#options.isAlone || this.#isSilent() || this.#now() - this.#askedAt < freshForMs
  }

  #isSilent(): boolean {
    return this.#now() < this.#silentUntil
  }

  #now(): number {
    return this.#options.clock.monotonic()
  }
}

/** The keys themselves are told only where they say something that the session's own key does not. */
function toResolved<Event extends LoggedEvent>(event: Event, userKeys: readonly string[], home: string): Event {
  const { identities: _, ...rest } = event as Event & { identities?: unknown }
  const resolved = { ...(rest as unknown as Event), userKey: home }
  return event.type === 'message.received' && userKeys[0] !== home ? { ...resolved, identities: userKeys } : resolved
}

async function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(delayMs, resolve))
}

function remember(homes: Map<string, string>, names: readonly string[], home: string): void {
  if (homes.size >= rememberedMax) homes.clear()
  for (const name of names) homes.set(name, home)
}

function toName(businessAddress: string, userKeys: readonly string[]): string {
  return `${businessAddress} ${userKeys.join(' ')}`
}
