/**
 * When which session of a partition has to be looked at: one alarm of the clock for all of them. A wake is a
 * hint, never a timer itself: a session may wake for nothing, because its timers were renewed.
 */
import TinyQueue from 'tinyqueue'

import type { Clock } from './ports.ts'

type Wake = { readonly at: number; readonly sessionKey: string }

export class WakeQueue {
  readonly #clock: Clock
  readonly #onDue: () => void
  readonly #wakes = new TinyQueue<Wake>([], (a, b) => a.at - b.at)
  /** The earliest wake of each session; others of it in the queue are dead. */
  readonly #earliest = new Map<string, number>()
  #cancelAlarm: (() => void) | null = null
  #alarmAt = Infinity

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  /** Looks at the session at this wall-clock moment, or earlier. */
  add(sessionKey: string, at: number): void {
    if ((this.#earliest.get(sessionKey) ?? Infinity) <= at) return
    this.#earliest.set(sessionKey, at)
    this.#wakes.push({ at, sessionKey })
    this.setAlarm()
  }

  /** The sessions whose wake is at or before `now`; they are forgotten. */
  take(now: number): string[] {
    const due: string[] = []
    for (let next = this.#wakes.peek(); next !== undefined && next.at <= now; next = this.#wakes.peek()) {
      this.#wakes.pop()
      if (this.#earliest.get(next.sessionKey) !== next.at) continue
      this.#earliest.delete(next.sessionKey)
      due.push(next.sessionKey)
    }
    return due
  }

  setAlarm(): void {
    const next = this.#wakes.peek()
    if (next === undefined || next.at >= this.#alarmAt) return
    this.#cancelAlarm?.()
    this.#alarmAt = next.at
    this.#cancelAlarm = this.#clock.schedule(Math.max(0, next.at - this.#clock.now()), () => {
      this.#alarmAt = Infinity
      this.#onDue()
    })
  }

  stop(): void {
    this.#cancelAlarm?.()
    this.#alarmAt = -Infinity
  }
}
