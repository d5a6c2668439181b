/**
 * Performs what committed steps want of the world (DESIGN D4, section 7).
 *
 * 1. Nothing starts before the commit that wants it, nor when the newest fold no longer does.
 * 2. A visible effect (a send) starts through `start_effects`, which checks in SQL what may have changed,
 *    and only while this node's lease is certainly valid; that moment is its deadline.
 * 3. Visible effects of one session go one after the other, in the order in which they were wanted.
 * 4. A running send is never aborted; a running draft is, when the chart leaves the state that wanted it.
 * 5. An inherited running send is uncertain after its deadline and is resolved before any resend.
 * 6. A send that the store holds waits for its moment. One that waits for the user lets later ones pass: a template may
 *    go where free-form text may not.
 * 7. While an opt-out is being committed nothing starts, and what had begun to start goes back to be judged again.
 */
import { pause, toRetryDelay } from './committer.ts'
import { EffectHolds, toOccasion } from './effect-holds.ts'
import { EffectSlots } from './effect-slots.ts'
import type { Cancelled } from './entry.ts'
import { withErrorText } from './error-text.ts'
import { limits } from './host.ts'
import type { Host } from './host.ts'
import type { Partition } from './partition.ts'
import type { Effect, EffectPerformer, EffectRequest, EffectResult, StartOutcome } from './ports.ts'
import { resolveUncertain } from './resolve-uncertain.ts'
import type { RunningEffect, WaitingEffect } from './running-effect.ts'
import type { Session } from './session.ts'
import type { SessionState } from './session-state.ts'
import { hasRival, isWanted } from './wanted-effects.ts'

export class EffectRunner {
  readonly #host: Host
  readonly #running = new Map<Session, Map<string, RunningEffect>>()
  readonly #toStart = new Map<string, WaitingEffect>()
  readonly #slots = new EffectSlots()
  readonly #holds = new EffectHolds()
  /** Asked about as often as makes sense; after a restart they are asked about once more. */
  readonly #leftToPerson = new Set<string>()
  #starting: Promise<void> | null = null

  constructor(host: Host) {
    this.#host = host
  }

  /** Brings what runs into line with what the session's committed state wants. May be called at any time. */
  reconcile(session: Session, partition: Partition): void {
    if (!partition.isActive || session.phase !== 'ready' || session.committed === null) return
    const { committed } = session
    this.#abortUnwanted(session, committed)
    let isBlocked = false
    for (const effect of committed.effects) {
      const newest = session.newest?.effects.find(({ effectId }) => effectId === effect.effectId)
      // Its result is on its way to the store: what comes next is decided when it has arrived.
      if (newest !== effect) {
        isBlocked ||= newest !== undefined && this.#host.performers[effect.kind]?.isVisible === true
        continue
      }
      const performer = this.#host.performers[effect.kind]
      if (effect.status !== 'uncertain' && this.#isRunning(session, effect)) isBlocked ||= performer?.isVisible === true
      else if (performer === undefined) this.#refuseKind(session, effect)
      else if (!performer.isVisible) this.#startDraft(session, partition, effect, performer)
      else if (!isBlocked) isBlocked = this.#advanceSend(session, partition, effect)
    }
  }

  /** The partition is lost: drafts stop; sends finish, but nobody listens. */
  abandon(partition: Partition): void {
    for (const [session, running] of this.#running) {
      if (session.owner !== partition) continue
      for (const { controller, isVisible } of running.values()) if (!isVisible) controller.abort()
    }
  }

  /** Resolves when no visible effect of the partition is under way, or it is lost. */
  async settle(partition: Partition): Promise<void> {
    for (let pending = this.#visibleOf(partition); pending.length > 0; pending = this.#visibleOf(partition)) {
      await Promise.all(pending)
      if (partition.isLost) return
    }
  }

  /** A send of the session is on its way, or a former owner may still write one. */
  isSending(session: Session): boolean {
    const { clock, performers } = this.#host
    if ([...(this.#running.get(session)?.values() ?? [])].some(({ isVisible }) => isVisible)) return true
    if ([...this.#toStart.values()].some((waiting) => waiting.session === session)) return true
    // Of the newest: what is known to have arrived is not on its way, and nobody would wake the session after it.
    return (session.newest?.effects ?? []).some(
      ({ kind, status, deadline }) =>
        performers[kind]?.isVisible === true && status === 'running' && (deadline ?? 0) > clock.now(),
    )
  }

  /** The send as it was started, while its answer is awaited. */
  findStarted(session: Session, effectId: string): Effect | null {
    const running = this.#running.get(session)?.get(effectId)
    return running?.isVisible === true ? running.effect : null
  }

  /** All that is left to do for the session waits for the user's next message. */
  awaitsUser(session: Session): boolean {
    const now = this.#host.clock.now()
    return (
      session.isIdle &&
      (session.committed?.effects ?? []).every(
        (effect) =>
          effect.status === 'pending' &&
          !this.#isRunning(session, effect) &&
          this.#holds.find(session, effect.effectId, now)?.reason === 'window-closed',
      )
    )
  }

  #visibleOf(partition: Partition): Promise<void>[] {
    const pending: Promise<void>[] = []
    for (const [session, running] of this.#running) {
      if (session.owner !== partition) continue
      for (const { isVisible, done } of running.values()) if (isVisible) pending.push(done)
    }
    const isStarting = [...this.#toStart.values()].some((waiting) => waiting.partition === partition)
    return isStarting && this.#starting !== null ? [...pending, this.#starting] : pending
  }

  #isRunning(session: Session, effect: Effect): boolean {
    // A start that a lost partition left behind is nothing to the session that was loaded since.
    const isStarting = this.#toStart.get(effect.effectId)?.session === session
    return isStarting || this.#running.get(session)?.has(effect.effectId) === true
  }

  #abortUnwanted(session: Session, committed: SessionState): void {
    for (const [effectId, running] of this.#running.get(session) ?? []) {
      if (committed.effects.some((effect) => effect.effectId === effectId)) continue
      running.controller.abort()
    }
  }

  #refuseKind(session: Session, effect: Effect): void {
    const message = `nothing here performs '${effect.kind}'`
    this.#answer(session, effect, { kind: 'failed', error: { message, code: 'unknown-effect' } })
  }

  // ── Drafts: nothing outside sees them ────────────────────────────────────────────────────────

  #startDraft(session: Session, partition: Partition, effect: Effect, performer: EffectPerformer): void {
    if (!isWanted(session, effect)) return
    this.#run(session, partition, effect, false, async (signal) => {
      const request = this.#toRequest(session, effect, Infinity, signal)
      if (request === null) return null
      await this.#host.reached('after-effect-running')
      const result = await performer.perform(request)
      if (result.kind === 'done' || result.kind === 'failed') return result
      // The chart itself counts failures and tries again.
      return { kind: 'failed', error: { message: result.reason, code: null } }
    })
  }

  // ── Sends: the world sees them ───────────────────────────────────────────────────────────────

  /** True when the session's later sends have to wait for this one. */
  #advanceSend(session: Session, partition: Partition, effect: Effect): boolean {
    const { clock } = this.#host
    const now = clock.now()
    switch (effect.status) {
      case 'pending': {
        if (session.isWithdrawing) return true
        const hold = this.#holds.find(session, effect.effectId, now)
        if (hold?.reason === 'window-closed') return false
        const waitMs = Math.max(effect.nextAttemptAt ?? 0, hold?.until ?? 0) - now
        if (waitMs > 0) this.#later(session, partition, waitMs)
        else this.#enqueueStart({ session, partition, effect })
        return true
      }
      case 'running': {
        // Nobody here started it: its former owner may write to the world until the deadline.
        const waitMs = (effect.deadline ?? now) - now
        if (waitMs > 0) this.#later(session, partition, waitMs)
        else this.#answer(session, effect, { kind: 'uncertain', reason: 'its owner ended while it was running' })
        return true
      }
      case 'uncertain': {
        if (!this.#isRunning(session, effect)) this.#resolve(session, partition, effect)
        const holdsMs = (effect.startedAt ?? 0) + limits.uncertainHoldsMs - now
        if (holdsMs > 0) this.#later(session, partition, holdsMs)
        return holdsMs > 0
      }
      case 'done':
      case 'failed':
      case 'cancelled':
        return false
    }
  }

  #later(session: Session, partition: Partition, waitMs: number): void {
    this.#host.clock.schedule(waitMs, () => this.reconcile(session, partition))
  }

  #enqueueStart({ session, partition, effect }: Pick<WaitingEffect, 'session' | 'partition' | 'effect'>): void {
    const occasion = toOccasion(session.committed)
    const withdrawals = session.newest?.withdrawals
    this.#toStart.set(effect.effectId, { session, partition, effect, occasion, withdrawals })
    this.#starting ??= this.#startAll().finally(() => {
      this.#starting = null
    })
  }

  async #startAll(): Promise<void> {
    await pause(this.#host, limits.lingerMs)
    while (this.#toStart.size > 0) {
      const taken = [...this.#toStart.values()].slice(0, limits.sessionsPerCommit)
      const sentAt = this.#host.clock.monotonic()
      const outcomes = await this.#start(taken)
      for (const waiting of taken) {
        if (this.#toStart.get(waiting.effect.effectId) === waiting) this.#toStart.delete(waiting.effect.effectId)
        this.#started(waiting, outcomes?.get(waiting.effect.effectId) ?? null, sentAt)
      }
    }
  }

  async #start(taken: readonly WaitingEffect[]): Promise<ReadonlyMap<string, StartOutcome> | null> {
    const { nodeId, leaseMs } = this.#host.settings
    const owned = [...new Set(taken.map(({ partition }) => partition))].filter(({ isLost }) => !isLost)
    const partitions = owned.map(({ number, epoch }) => ({ partition: number, epoch }))
    const effects = taken.flatMap(({ effect, partition, session }) =>
      session.newest === null
        ? []
        : [{ effectId: effect.effectId, partition: partition.number, sessionId: session.newest.sessionId }],
    )
    try {
      await this.#host.reached('before-start-effects')
      const outcomes = await this.#host.store.startEffects(nodeId, leaseMs, partitions, effects)
      await this.#host.reached('effect-claimed')
      return outcomes
    } catch (error) {
      this.#host.telemetry.log('warn', 'could not start effects', { count: taken.length, error: String(error) })
      await pause(this.#host, toRetryDelay(3, this.#host.random()))
      return null
    }
  }

  #started(waiting: WaitingEffect, outcome: StartOutcome | null, sentAt: number): void {
    const { session, partition, effect, occasion } = waiting
    if (partition.isLost) return
    if (outcome === null) {
      this.#wentOn(session, partition)
      this.reconcile(session, partition)
      return
    }
    this.#host.telemetry.count('effects_started', { kind: effect.kind, outcome: outcome.kind })
    switch (outcome.kind) {
      case 'started':
        partition.renewed(sentAt)
        this.#send({ ...waiting, effect: outcome.effect })
        return
      case 'held':
        this.#holds.note(session, effect.effectId, { reason: outcome.reason, until: outcome.until, occasion })
        this.#wentOn(session, partition)
        this.reconcile(session, partition)
        return
      case 'cancelled':
        this.#answer(session, effect, { kind: 'cancelled', reason: outcome.reason })
        return
      case 'not-pending':
        // The answer to an earlier call was lost: the store knows better what became of it.
        session.reload(new Set())
        partition.resume(session)
        return
      case 'fenced':
        partition.lose('another node owns it')
        return
    }
  }

  /** An opt-out may have waited for a send of the session that is not on its way any more. */
  #wentOn(session: Session, partition: Partition): void {
    if (session.isWithdrawing) partition.changed(session)
  }

  #send({ session, partition, effect, withdrawals }: WaitingEffect): void {
    const performer = this.#host.performers[effect.kind]
    const deadline = partition.leaseValidUntil
    // The monotonic clock stands still while the machine sleeps; the wall clock does not.
    const deadlineAt = this.#host.clock.now() + deadline - this.#host.clock.monotonic()
    this.#run(session, partition, effect, true, async (signal) => {
      const request = this.#toRequest(session, effect, deadline, signal)
      // Nothing went out: its row says that it runs, and a successor would ask the provider for most of a minute.
      if (request === null || performer === undefined) {
        return { kind: 'retry', afterMs: 0, reason: 'its session was being loaded again', isAttempt: false }
      }
      // Judged again by the store, which keeps what an opt-out has blocked.
      if (session.newest?.withdrawals !== withdrawals)
        return { kind: 'retry', afterMs: 0, reason: 'the user opted out', isAttempt: false }
      if (!isWanted(session, effect)) return { kind: 'cancelled', reason: 'the session has changed its speaker' }
      if (this.#host.clock.now() >= deadlineAt)
        return { kind: 'retry', afterMs: 0, reason: 'the lease had run out', isAttempt: false }
      await this.#host.reached('after-effect-running')
      const result = await performer.perform(request)
      await this.#host.reached('after-send-returned')
      return result
    })
  }

  #resolve(session: Session, partition: Partition, effect: Effect): void {
    if (this.#leftToPerson.has(effect.effectId)) return
    const performer = this.#host.performers[effect.kind]
    this.#run(session, partition, effect, false, async (signal) => {
      const request = this.#toRequest(session, effect, Infinity, signal)
      if (request === null || performer === undefined) return null
      const resolved = await resolveUncertain(this.#host, performer, request, () =>
        hasRival(session, effect, (other) => this.#isRunning(session, other)),
      )
      // One that was cut short, because the partition was lost, is asked about anew if it comes back.
      if (resolved === null && !signal.aborted) this.#leftToPerson.add(effect.effectId)
      return resolved
    })
  }

  // ── Running ──────────────────────────────────────────────────────────────────────────────────

  #run(
    session: Session,
    partition: Partition,
    effect: Effect,
    isVisible: boolean,
    work: (signal: AbortSignal) => Promise<EffectResult | Cancelled | null>,
  ): void {
    const controller = new AbortController()
    const running = this.#running.get(session) ?? new Map<string, RunningEffect>()
    this.#running.set(session, running)
    const done = this.#withinLimit(session, effect, () => work(controller.signal))
      .catch((error: unknown): EffectResult => {
        this.#host.telemetry.log('error', 'an effect threw', { effectId: effect.effectId, error: String(error) })
        // Nobody knows how far it came.
        return isVisible ? { kind: 'uncertain', reason: String(error) } : { kind: 'failed', error: toFailure(error) }
      })
      .then((result) => {
        running.delete(effect.effectId)
        if (running.size === 0) this.#running.delete(session)
        if (partition.isLost) return
        if (isVisible) this.#wentOn(session, partition)
        if (result === null || (controller.signal.aborted && !isVisible)) return
        this.#host.telemetry.count('effects', { kind: effect.kind, outcome: result.kind })
        void this.#host.reached('result-received')
        this.#answer(session, effect, result)
      })
    running.set(effect.effectId, { effect, controller, isVisible, done })
  }

  async #withinLimit<T>(session: Session, effect: Effect, work: () => Promise<T>): Promise<T> {
    // Asking about a lost send takes most of a minute of waiting: that must not hold up other sends.
    const kind = effect.status === 'uncertain' ? `resolve ${effect.kind}` : effect.kind
    const { tenantId = '', settings = {} } = session.newest?.channel ?? {}
    return this.#slots.run(kind, { tenantId, weight: Number(settings['effectWeight'] ?? 1) }, work)
  }

  #answer(session: Session, effect: Effect, result: EffectResult | Cancelled): void {
    session.receive({ kind: 'result', effect, result: withErrorText(result) })
  }

  #toRequest(session: Session, effect: Effect, deadlineMonotonicMs: number, signal: AbortSignal): EffectRequest | null {
    if (session.newest === null || signal.aborted) return null
    const { sessionId, channel, replyAddress } = session.newest
    return { effect, session: { sessionId, ...channel, replyAddress }, deadlineMonotonicMs, signal }
  }
}

function toFailure(error: unknown): { message: string; code: null } {
  return { message: error instanceof Error ? error.message : String(error), code: null }
}
