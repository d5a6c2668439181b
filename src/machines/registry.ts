/**
 * How a machine becomes one that Duologue hosts. A registration says the few things that a plain
 * XState machine cannot say about itself: which named actions are effects, which events open a new
 * conversation, and what its states mean to an outsider. The machine itself stays plain XState 5.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import type { Json, JsonObject } from './json.ts'
import type { Status } from './status.ts'

/** What the host knows when it opens a conversation; `toInput` makes the machine's input of it. */
export type Opening = {
  readonly at: number
  /** `whatsapp:+14155238886` or `sms:+14155238886`: some words mean something else on SMS. */
  readonly businessAddress: string
  /** `tenants.settings`, as stored; a machine picks what it knows and falls back to its defaults. */
  readonly settings: JsonObject
  readonly previous: { readonly conversationId: string; readonly status: Status } | null
}

export type MachineRegistration = {
  /** `machine.id` is its name, `machine.version` its version; both are stored with every snapshot. */
  readonly machine: AnyStateMachine
  /** Whether this event opens a new conversation when the session has no open one. */
  readonly opensOn: (event: { readonly type: string }, opening: Opening) => boolean
  readonly toInput: (opening: Opening) => Json
  readonly toStatus: (snapshot: AnyMachineSnapshot) => Status
  /** Why the status is what it is, for the history: `closed by the user's word`; null when there is nothing to say. */
  readonly toReason: (snapshot: AnyMachineSnapshot) => string | null
  /** Who may speak in the session: `assistant`, `operator:<id>`, or `none`. */
  readonly toSpeaker: (snapshot: AnyMachineSnapshot) => string
  /** Named actions that ask for something in the world; their `params` are the request. All other named actions are refused. */
  readonly effectActions: readonly string[]
}

export type MachineRegistry = { readonly [machineName: string]: MachineRegistration }
