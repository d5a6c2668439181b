/** A small machine of a conversation: ten states, plain context, no timers and nothing to do in the world. */
import { assign, setup } from 'xstate'

export type MessageEvent = { readonly type: 'message.received'; readonly messageId: string; readonly body: string }

type OtherEvent = {
  readonly type: 'answered' | 'handoff' | 'assigned' | 'released' | 'idle' | 'closed' | 'expired' | 'failed'
}

export const machine = setup({
  types: {
    context: {} as { readonly messages: number },
    events: {} as MessageEvent | OtherEvent,
  },
  actions: { count: assign({ messages: ({ context }) => context.messages + 1 }) },
  guards: { saysGoodbye: ({ event }) => event.type === 'message.received' && /^(?:bye|exit|stop)$/iu.test(event.body) },
}).createMachine({
  id: 'row-lock',
  context: { messages: 0 },
  initial: 'PENDING',
  on: {
    'message.received': [{ guard: 'saysGoodbye', target: '.USER_CLOSED', actions: 'count' }, { actions: 'count' }],
    closed: '.AGENT_CLOSED',
    expired: '.EXPIRED',
    failed: '.FAILED',
  },
  states: {
    PENDING: {
      initial: 'collecting',
      states: { collecting: {}, answering: {} },
      on: { answered: 'PROGRESS', handoff: 'HUMAN_HANDOFF' },
    },
    PROGRESS: { on: { handoff: 'HUMAN_HANDOFF', idle: 'IDLE_TIMEOUT' } },
    HUMAN_HANDOFF: { on: { released: 'PROGRESS' } },
    IDLE_TIMEOUT: { on: { 'message.received': { target: 'PROGRESS', actions: 'count' } } },
    USER_CLOSED: { on: { 'message.received': { actions: 'count' } } },
    AGENT_CLOSED: {},
    EXPIRED: {},
    FAILED: {},
  },
})
