/**
 * Loads sessions from the store, many per call: everything that was asked for while a call was under way
 * goes into the next one. A session that cannot be loaded because the store is down is asked for again.
 */
import { pause, toRetryDelay } from './committer.ts'
import { toDuplicateKey } from './entry.ts'
import type { Host } from './host.ts'
import { limits } from './host.ts'
import type { Partition } from './partition.ts'
import type { LoadedSessions, SessionRequest } from './ports.ts'
import type { Session } from './session.ts'
import { createSessionState, fromLoaded } from './session-state.ts'
import type { Channel, SessionState } from './session-state.ts'

type Loaded = { readonly state: SessionState | null; readonly knownKeys: ReadonlySet<string> }

export class Loader {
  readonly #host: Host
  readonly #wanted = new Map<Session, Partition>()
  /** Sessions of one channel share one object: its settings are read anew with every load. */
  readonly #channels = new Map<string, Channel>()
  #isRunning = false

  constructor(host: Host) {
    this.#host = host
  }

  add(session: Session, partition: Partition): void {
    this.#wanted.set(session, partition)
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run().finally(() => {
      this.#isRunning = false
    })
  }

  async #run(): Promise<void> {
    for (let attempt = 0; this.#wanted.size > 0;) {
      const taken = this.#take()
      if (taken.size === 0) continue
      try {
        const loaded = await this.#load(taken)
        await this.#host.reached('after-load')
        this.#deliver(taken, loaded)
        attempt = 0
      } catch (error) {
        this.#host.telemetry.log('warn', 'could not load sessions', { count: taken.size, error: String(error) })
        for (const [session, partition] of taken) this.#wanted.set(session, partition)
        await pause(this.#host, toRetryDelay(attempt, this.#host.random()))
        attempt += 1
      }
    }
  }

  #take(): Map<Session, Partition> {
    const taken = new Map<Session, Partition>()
    for (const [session, partition] of this.#wanted) {
      if (taken.size >= limits.sessionsPerLoad) break
      this.#wanted.delete(session)
      if (!partition.isLost && session.phase === 'loading') taken.set(session, partition)
    }
    return taken
  }

  async #load(taken: ReadonlyMap<Session, Partition>): Promise<LoadedSessions> {
    const partitions = [...new Set(taken.values())].map(({ number, epoch }) => ({ partition: number, epoch }))
    const requests: SessionRequest[] = []
    for (const [session, partition] of taken) {
      const keys = session.waiting.map((entry) => (entry.kind === 'logged' ? toDuplicateKey(entry.event) : null))
      const duplicateKeys = keys.filter((key) => key !== null)
      requests.push({ sessionKey: session.key, partition: partition.number, duplicateKeys })
    }
    return this.#host.store.loadSessions(partitions, requests)
  }

  #deliver(taken: ReadonlyMap<Session, Partition>, loaded: LoadedSessions): void {
    const found = this.#toStates(loaded)
    for (const [session, partition] of taken) {
      const { state, knownKeys } = found(session)
      if (partition.isLost) continue
      if (state === null) partition.rejectUnknown(session)
      else {
        session.loaded(state, knownKeys)
        partition.loaded(session)
      }
    }
  }

  #toStates(loaded: LoadedSessions): (session: Session) => Loaded {
    const sessions = new Map(loaded.sessions.map((each) => [each.sessionKey, each]))
    const channels = new Map(loaded.channels.map((each) => [each.businessToken, each]))
    const aliases = new Map((loaded.aliases ?? []).map(({ sessionKey, home }) => [sessionKey, home]))
    const known = new Map<string, Set<string>>()
    for (const pair of loaded.knownKeys) {
      const [sessionKey = '', key = ''] = pair.split(' ')
      known.set(sessionKey, (known.get(sessionKey) ?? new Set()).add(key))
    }
    return (session) => {
      const knownKeys = known.get(session.key) ?? new Set()
      const row = sessions.get(session.key)
      if (row !== undefined) return { state: fromLoaded(row, this.#channelOf(row)), knownKeys }
      const channel = channels.get(session.key.split('.')[0] ?? '')
      if (channel === undefined) return { state: null, knownKeys }
      const userKey = toUserKey(session)
      const state = createSessionState(this.#host.ids.next(), this.#channelOf(channel), userKey)
      const home = aliases.get(session.key)
      return { state: home === undefined ? state : { ...state, redirects: { [userKey]: home } }, knownKeys }
    }
  }

  #channelOf({ tenantId, channelId, businessAddress, settings }: Channel): Channel {
    const shared = this.#channels.get(channelId)
    if (shared !== undefined && JSON.stringify(shared.settings) === JSON.stringify(settings)) return shared
    const channel = { tenantId, channelId, businessAddress, settings }
    this.#channels.set(channelId, channel)
    return channel
  }
}

/** The user key as the session's first waiting event writes it. */
function toUserKey(session: Session): string {
  for (const entry of session.waiting) if (entry.kind === 'logged') return entry.event.userKey
  return ''
}
