/**
 * How a machine becomes one that Duologue hosts. A registration says the few things that a plain
 * XState machine cannot say about itself: which named actions are effects, which events open a new
 * conversation, and what its states mean to an outsider. The machine itself stays plain XState 5.
 */
import type { AnyMachineSnapshot, AnyStateMachine } from 'xstate'
import type { Json, JsonObject } from './json.ts'
import type { Status } from './status.ts'

/** The business's side of a session. */
export type MachineChannel = {
  /** `whatsapp:+14155238886` or `sms:+14155238886`: some words mean something else on SMS. */
  readonly businessAddress: string
  /** `tenants.settings`, as stored; a machine picks what it knows and falls back to its defaults. */
  readonly settings: JsonObject
}

/** What the host knows when it opens a conversation; `toInput` makes the machine's input of it. */
export type Opening = MachineChannel & {
  readonly at: number
  readonly previous: {
    readonly conversationId: string
    readonly status: Status
    readonly reason: string | null
    /** What it remembered at last, as its machine stored it; null when it is a conversation of another machine. */
    readonly context?: JsonObject | null
  } | null
}

export type MachineRegistration = {
  /** `machine.id` is its name, `machine.version` its version; both are stored with every snapshot. */
  readonly machine: AnyStateMachine
  /** Whether this event opens a new conversation when the session has no open one. */
  readonly opensOn: (event: { readonly type: string }, opening: Opening) => boolean
  readonly toInput: (opening: Opening) => Json
  /** Whether this event, which does not open one, would if the user had not written too much: the message is marked. */
  readonly isOverLimit?: (event: { readonly type: string }, opening: Opening) => boolean
  readonly toStatus: (snapshot: AnyMachineSnapshot) => Status
  /**
   * Why the status is what it is, for the history: `closed by the user's word`; null when there is nothing to say.
   * Also asked of stored snapshots, which have nothing but what is persisted.
   */
  readonly toReason: (snapshot: Pick<AnyMachineSnapshot, 'context'>) => string | null
  /** Who may speak in the session: `assistant`, `operator:<id>`, or `none`. */
  readonly toSpeaker: (snapshot: AnyMachineSnapshot) => string
  /**
   * Reads what a command from outside asks for: the event that the chart gets (the host adds its moment), or a
   * sentence that says what is wrong with it. Nothing of a command is believed before it has been here.
   */
  readonly readCommand: (command: JsonObject) => JsonObject | string
  /** Why the chart does not take this command now: what the caller is told. */
  readonly toRefusal: (snapshot: AnyMachineSnapshot, command: JsonObject) => string
  /** Whether this event (a message, or the result of an effect) takes the user's consent to messages away, or gives it again; null when it says nothing of it. */
  readonly toConsent: (event: { readonly type: string }, channel: MachineChannel) => 'withdrawn' | 'given' | null
  /** Named actions that ask for something in the world; their `params` are the request. All other named actions are refused. */
  readonly effectActions: readonly string[]
  /** The versions before `machine.version` of which snapshots may be stored, oldest first. */
  readonly versions?: readonly OlderVersion[]
  /** Findings of the host lint that are meant so, each with the reason. */
  readonly allowances?: readonly Allowance[]
}

/**
 * A version that is no longer the newest. In a rolling deploy both are live: its chart stays in the build while
 * conversations of it may still run or be replayed, as data and code in a folder of their own.
 */
export type OlderVersion = {
  readonly version: string
  /** The chart as it was; null: it is retired, its snapshots are only migrated. */
  readonly registration: MachineRegistration | null
  /** The version that `migrate` leads to; absent: the next of the list, else the newest. */
  readonly to?: string
  /** Pure: a snapshot of this version as one of that. */
  readonly migrate: (snapshot: PersistedSnapshot) => PersistedSnapshot
}

/** A snapshot in XState's persisted form, as far as a hosted machine may use it. */
export type PersistedSnapshot = {
  readonly status: 'active'
  readonly value: Json
  readonly context: JsonObject
  readonly historyValue: { readonly [historyId: string]: readonly { readonly id: string }[] }
  readonly children: { readonly [childId: string]: { readonly src: string; readonly snapshot: JsonObject } }
}

export type Allowance = {
  /** The rule's name, as a finding tells it. */
  readonly rule: string
  /** Where it is allowed, as a finding tells it. */
  readonly where: string
  readonly reason: string
}

export type MachineRegistry = { readonly [machineName: string]: MachineRegistration }
