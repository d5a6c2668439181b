/**
 * What the kit has to know of a machine that it cannot read off the machine itself: what can be done to it from
 * outside (moves, each with a generator of payloads), which tenants it is tried under (profiles), what of the context
 * makes two configurations different, and what no walk can reach, with the reason.
 */
import type fc from 'fast-check'

import type { DeliveryStatus, Media } from '../../../src/machines/events.ts'
import type { Json, JsonObject } from '../../../src/machines/json.ts'
import type { MachineRegistration } from '../../../src/machines/registry.ts'
import type { Heard } from './heard.ts'

/** One thing that is done at a door of the service; plain JSON, so that a path can be printed and repeated. */
export type Act =
  /** The user writes. `{walk}` in the text becomes a word that names the walk, `{voice}` in media a file of the user's. */
  | { readonly kind: 'say'; readonly text: string; readonly media?: readonly Media[] }
  /** Time passes until the conversation's next timer is due. */
  | { readonly kind: 'pass' }
  /** The running invoked effect ends. */
  | { readonly kind: 'result'; readonly result: InvokedResult }
  /** An operator or a program asks for something: by the API under `name`, or, where the API has none, by the log. */
  | { readonly kind: 'command'; readonly name: string | null; readonly event: JsonObject }
  /** The provider tells what became of a message. */
  | { readonly kind: 'delivery'; readonly status: DeliveryStatus; readonly errorCode: string | null }

export type InvokedResult =
  | { readonly kind: 'done'; readonly output: Json }
  /** Each voice message that the effect asks about said this. */
  | Heard
  /** `content`: what the endpoint answers in place of a draft; `code`: what the chart is told of it. */
  | { readonly kind: 'failed'; readonly code: string; readonly content: string }

export type Move = {
  /** A fact; names the move in paths, reports and the coverage file. */
  readonly name: string
  readonly kind: Act['kind']
  /** Of a result: the effect that ends so, by its id in the chart; absent: whichever runs. */
  readonly of?: string
  /** Every act of a move must lead the chart the same way; what differs between them is chosen by a walk's seed. */
  readonly acts: fc.Arbitrary<Act>
}

/** A tenant under which the machine is walked. */
export type Profile = {
  readonly name: string
  readonly businessAddress: string
  readonly settings: JsonObject
}

export type Unwalked = {
  /** Transition ids as in the coverage file (`<source>|<event>|<index>`). */
  readonly transitions: RegExp
  /**
   * Null: the transition and both outcomes of its guard; `taken`: the transition and its guard's yes, while the no is
   * walked; else only this outcome of its guard.
   */
  readonly outcome: boolean | 'taken' | null
  readonly reason: string
}

export type Model = {
  readonly registration: MachineRegistration
  /** What `DUOLOGUE_MACHINES` has to name for it; null when it is part of the build. */
  readonly module: string | null
  /** The first is the usual one; the others are walked for what it cannot reach. */
  readonly profiles: readonly Profile[]
  readonly moves: readonly Move[]
  /** What of the context decides which way the chart goes. Small, or there is no end of configurations. */
  readonly keep: (context: JsonObject) => Json
  /** What of a running effect's input does, beside the context. */
  readonly keepEffect?: (input: Json, context: JsonObject) => Json
  /** Every pair of consecutive transitions through such a state (`HUMAN_HANDOFF.queued`) is walked. */
  readonly isRisky: (state: string) => boolean
  readonly unwalked: readonly Unwalked[]
  /** Whether the chart itself is silent after STOP; where it is not, only the host's check keeps messages back. */
  readonly isSilentAfterStop: boolean
}

export function nameOf({ registration }: Model): string {
  return registration.machine.id
}
