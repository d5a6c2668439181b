/** The conversation machine as one that Duologue hosts. */
import type { AnyMachineSnapshot } from 'xstate'

import type { MessageReceived } from '../events.ts'
import type { MachineRegistration, Opening } from '../registry.ts'
import { isClosed, statuses } from '../status.ts'
import type { Status } from '../status.ts'
import type { ConversationContext, ConversationInput } from './context.ts'
import { conversationMachine } from './machine.ts'
import { readMessageIntent, toScheme } from './message-intent.ts'

export const conversationRegistration: MachineRegistration = {
  machine: conversationMachine,
  opensOn,
  toInput,
  toStatus,
  toReason: (snapshot) => contextOf(snapshot).reason,
  toSpeaker,
  effectActions: ['sendMessage'],
}

/**
 * A message opens, unless it only opts out or in, or says goodbye to a conversation that is closed
 * already: a user's "obrigado!" after our goodbye must not begin another round of goodbyes.
 */
function opensOn(event: { readonly type: string }, { businessAddress, previous }: Opening): boolean {
  if (event.type !== 'message.received') return false
  const intent = readMessageIntent(event as MessageReceived, toScheme(businessAddress))
  if (intent === 'stop' || intent === 'start') return false
  const isGoodbye = intent === 'close' || intent === 'thanks'
  return !isGoodbye || previous === null
}

function toInput({ businessAddress, settings, previous }: Opening): ConversationInput {
  return { scheme: toScheme(businessAddress), settings, previousStatus: previous?.status ?? null }
}

/** The chart's top-level states are the statuses. */
function toStatus(snapshot: AnyMachineSnapshot): Status {
  const value: unknown = snapshot.value
  const name = typeof value === 'string' ? value : Object.keys(value as object)[0]
  const status = statuses.find((candidate) => candidate === name)
  if (status === undefined) throw new Error(`the conversation chart has no status '${String(name)}'`)
  return status
}

/** The assistant until a person takes over: in the queue its last words may still go out. */
function toSpeaker(snapshot: AnyMachineSnapshot): string {
  if (isClosed(toStatus(snapshot))) return 'none'
  const { operatorId } = contextOf(snapshot)
  return operatorId === null ? 'assistant' : `operator:${operatorId}`
}

function contextOf(snapshot: AnyMachineSnapshot): ConversationContext {
  return snapshot.context as ConversationContext
}
