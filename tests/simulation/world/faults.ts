/** The faults that a simulation knows, how likely each is per occasion, and how often each happened. */
import type { SeededRandom } from '../engine/random.ts'

/** Faults that a chance decides, call by call. */
export const chanceFaults = [
  'node-killed-at-point',
  'node-paused-at-point',
  'store-slow',
  'store-transaction-slow',
  'store-error-before-commit',
  'store-answer-lost',
  'store-request-late',
  'store-stale-read',
  'log-ack-lost',
  'log-duplicate-stored',
  'log-delivery-late',
  'twilio-timeout-after-accept',
  'twilio-timeout-before-accept',
  'twilio-accepted-late',
  'twilio-429',
  'twilio-refused',
  'twilio-list-failed',
  'twilio-undelivered',
  'callback-lost',
  'callback-duplicate',
  'callback-early',
  'callback-reordered',
  'webhook-duplicate',
  'webhook-reordered',
  'ai-slow',
  'ai-wrong-form',
  'ai-error',
  'ai-silent',
  'ai-ignores-abort',
] as const
export type ChanceFault = (typeof chanceFaults)[number]

/** Faults that stand in a scenario with their moment. */
export const plannedFaults = [
  'node-kill',
  'node-pause',
  'node-slow',
  'node-restart',
  'node-skew',
  'cut-from-log',
  'cut-from-store',
  'store-down',
  'log-down',
  'log-window-forgotten',
  'log-readers-restart',
  'log-partition-held',
  'late-retry',
  'everything-down-for-days',
] as const
export type PlannedFault = (typeof plannedFaults)[number]

/** What comes with a user's or a foreign program's word. */
export const contentFaults = ['machine-poison', 'store-poison', 'foreign-event'] as const
export type ContentFault = (typeof contentFaults)[number]

export const faultKinds = [...chanceFaults, ...plannedFaults, ...contentFaults] as const
export type FaultKind = (typeof faultKinds)[number]
export type Rates = { readonly [fault in ChanceFault]?: number }

export class Faults {
  readonly counts = new Map<string, number>()
  readonly #rates: Rates
  readonly #random: SeededRandom
  #isHealed = false

  constructor(rates: Rates, random: SeededRandom) {
    this.#rates = rates
    this.#random = random
  }

  /** Whether it happens now; counted when it does. */
  happens(fault: ChanceFault): boolean {
    if (this.#isHealed || !this.#random.chance(this.#rates[fault] ?? 0)) return false
    this.count(fault)
    return true
  }

  count(kind: string, by = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + by)
  }

  /** From here on no chance decides against anybody. */
  heal(): void {
    this.#isHealed = true
  }
}
