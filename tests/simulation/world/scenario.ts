/**
 * What happens in one simulation, as plain data: a seed makes one, a failing one is shrunk by taking things out of
 * it, and what remains is kept as a fixture. The seed inside decides the order of everything that is ready.
 */
import type { JsonObject } from '../../../src/machines/json.ts'
import type { Rates } from './faults.ts'

/** `looks`: the command carries the version that the operator saw. */
export const operatorDeeds = ['assigned', 'replied', 'released', 'extended', 'escalated', 'closed'] as const
export type OperatorDeed = (typeof operatorDeeds)[number]

export type Action =
  | { readonly at: number; readonly kind: 'message'; readonly user: number; readonly body: string; readonly id: string }
  | {
      readonly at: number
      readonly kind: 'operator'
      readonly user: number
      readonly does: OperatorDeed
      readonly id: string
      readonly looks: boolean
    }
  | { readonly at: number; readonly kind: 'foreign-event'; readonly user: number }
  | {
      readonly at: number
      readonly kind: 'node-kill'
      readonly node: number
      readonly forMs: number
      readonly keepsName: boolean
    }
  | { readonly at: number; readonly kind: 'node-pause'; readonly node: number; readonly forMs: number }
  | {
      readonly at: number
      readonly kind: 'node-slow'
      readonly node: number
      readonly forMs: number
      readonly slowMs: number
    }
  | { readonly at: number; readonly kind: 'node-restart'; readonly node: number }
  | { readonly at: number; readonly kind: 'node-skew'; readonly node: number; readonly skewMs: number }
  | {
      readonly at: number
      readonly kind: 'cut-from-log' | 'cut-from-store'
      readonly node: number
      readonly forMs: number
    }
  | { readonly at: number; readonly kind: 'store-down' | 'log-down'; readonly forMs: number }
  | { readonly at: number; readonly kind: 'log-window-forgotten' | 'log-readers-restart' }
  | { readonly at: number; readonly kind: 'log-partition-held'; readonly partition: number; readonly forMs: number }

export type Scenario = {
  readonly seed: number
  readonly nodes: number
  readonly partitions: number
  readonly users: number
  readonly leaseMs: number
  readonly settings: JsonObject
  /** Faults and messages come within this time; then everything is whole again and has to settle. */
  readonly lengthMs: number
  readonly rates: Rates
  /** How far behind a stale read may be. */
  readonly lagMs: number
  /** `at` counts from the beginning, ms. */
  readonly actions: readonly Action[]
  /** Afterwards everything stands still for days, and Twilio tries some messages once more; null: it does not. */
  readonly night: { readonly days: number; readonly retried: readonly string[] } | null
}
