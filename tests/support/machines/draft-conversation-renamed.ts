/** A draft that gives a state another name and forgets those who stand in it: its migration changes nothing. */
import { createMachine } from 'xstate'

import { conversationMachine } from '../../../src/machines/conversation/machine.ts'
import type { MachineRegistration } from '../../../src/machines/registry.ts'
import { createDraft } from './draft-conversation.ts'

type Compound = { readonly states: { readonly [name: string]: object } }

function rename(): MachineRegistration {
  const draft = createDraft('refund')
  const { config } = draft.machine as unknown as {
    readonly config: { readonly states: { readonly PROGRESS: Compound } }
  }
  const { waiting, ...others } = config.states.PROGRESS.states
  const PROGRESS = { ...config.states.PROGRESS, initial: 'listening', states: { listening: waiting, ...others } }
  const changed = { ...config, states: { ...config.states, PROGRESS } }
  const machine = createMachine(changed as never, draft.machine.implementations as never)
  return { ...draft, machine }
}

export const renamedFrom = `${conversationMachine.id}.PROGRESS.waiting`
export const renamedTo = `${conversationMachine.id}.PROGRESS.listening`
export const registration = rename()
