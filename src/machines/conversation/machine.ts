/**
 * The life of one conversation, from the user's first message to its closing. This page is the chart;
 * what its words mean is in `vocabulary.ts`.
 *
 * 1. Every state that is not closed has a way out by time.
 * 2. A message enters PENDING or PROGRESS anew: a running draft is cancelled, the timers begin again. While voice
 *    messages are being read it joins the turn instead: what was paid for is not thrown away.
 * 3. Silence is measured in `waiting`, the only place where it is the user's turn (docs/decisions, turn timers).
 * 4. What is over the user's limit joins no turn, and what is over the tenant's budget is answered by nobody; the user
 *    is told once until the window ends (docs/decisions, media). Opting out and asking for a person always count.
 * 5. A closed conversation never reopens; it only yields to a closing that outranks its own.
 */
import { because, becauseOperator, say, toDraftRequest, toTranscribeRequest, vocabulary } from './vocabulary.ts'
import { createContext } from './context.ts'

/** The tenant's budget of the moment is used up: nobody answers this turn, and the user is told so, but not each time. */
const overBudget = {
  guard: 'isOverBudget',
  target: '#conversation.PROGRESS',
  actions: [because('more messages than the tenant lets its assistant answer'), 'tellTooBusy'],
} as const

/** Where an attempt that failed leads: again, to a person, or, when nobody came before, nowhere. */
const draftFailed = [
  { guard: 'mayRetry', target: 'answering', reenter: true, actions: 'countFailure' },
  {
    guard: 'personMayCome',
    target: '#conversation.HUMAN_HANDOFF',
    actions: [because('the assistant could not answer'), say('answerFailed')],
  },
  {
    target: '#conversation.FAILED',
    actions: [because('the assistant could not answer and nobody came'), say('cannotGoOn')],
  },
] as const

const collecting = vocabulary.createStateConfig({
  description:
    'Several quick messages become one turn: a quiet moment ends it, at the latest a few seconds after its first message.',
  after: {
    quiet: [{ guard: 'hasVoice', target: 'transcribing' }, { target: 'answering' }],
  },
})

/** Where voice messages that cannot be read lead: again, to what else was written, or to asking for writing. */
const hearingFailed = [
  { guard: 'mayHearAgain', target: 'transcribing', reenter: true, actions: 'countHearingFailure' },
  { guard: 'isReadableElsewhere', target: 'answering', actions: ['giveUpHearing', say('cannotHear')] },
  {
    guard: 'isUnreadable',
    target: '#conversation.PROGRESS',
    actions: [because('a voice message could not be read'), say('cannotHear')],
  },
] as const

const transcribing = vocabulary.createStateConfig({
  description: 'The voice messages of the turn are read. After two failed attempts the user is asked to write.',
  invoke: {
    id: 'transcribe',
    src: 'transcribe',
    input: toTranscribeRequest,
    onDone: [
      { guard: 'isMoreToHear', target: 'transcribing', reenter: true, actions: 'hear' },
      { guard: 'isHeard', target: 'answering', actions: 'hear' },
      ...hearingFailed,
    ],
    onError: [overBudget, ...hearingFailed],
  },
  on: { 'message.received': { guard: 'joinsTurn', actions: 'collect' } },
  after: { transcribing: hearingFailed },
})

const answering = vocabulary.createStateConfig({
  description: 'The assistant drafts the answer to all messages of the turn. Three failed attempts call a person.',
  entry: 'closeWindow',
  invoke: {
    id: 'draftReply',
    src: 'draftReply',
    input: toDraftRequest,
    onDone: [
      {
        guard: 'isDraftForPerson',
        target: '#conversation.HUMAN_HANDOFF',
        actions: [because('the assistant asked for a person'), 'sendDraft'],
      },
      {
        guard: 'isDraftGoodbye',
        target: '#conversation.USER_CLOSED',
        actions: [because('the assistant understood a goodbye'), 'sendDraft'],
      },
      {
        guard: 'isDraft',
        target: '#conversation.PROGRESS',
        actions: [because('the assistant answered'), 'sendDraft', 'noteAnswered'],
      },
      ...draftFailed,
    ],
    onError: [overBudget, ...draftFailed],
  },
  after: { answering: draftFailed },
})

const toPersonOnRequest = {
  guard: 'asksForPerson',
  target: '#conversation.HUMAN_HANDOFF',
  actions: ['noteLanguage', because('the user asked for a person'), say('personIsComing')],
} as const

const toPersonOnVoice = {
  guard: 'isHeardForPerson',
  target: '#conversation.HUMAN_HANDOFF',
  actions: ['noteHeardLanguage', because('the user asked for a person'), say('personIsComing')],
} as const

/** A person is called, or takes over at once: the assistant is silent from here on. */
const toPersonByOperator = {
  'handoff.requested': {
    target: '#conversation.HUMAN_HANDOFF',
    actions: [becauseOperator('a person was asked for'), say('personIsComing')],
  },
  'operator.assigned': {
    target: '#conversation.HUMAN_HANDOFF.assigned',
    actions: ['assignOperator', because('an operator took it over')],
  },
} as const

/** Kept, marked, and not answered; the user is told so, but not each time. */
const tooMany = { guard: 'isTooMany', actions: ['limitMessage', 'tellTooMany'] } as const

const collectAnew = { guard: 'goesOn', target: '.collecting', reenter: true, actions: 'collect' } as const

export const conversationMachine = vocabulary.createMachine({
  id: 'conversation',
  version: '3',
  options: { maxIterations: 100 },
  context: createContext,
  initial: 'PENDING',

  // From every state, unless it says otherwise: closed states refuse what they outrank.
  on: {
    'message.received': [
      { guard: 'optsOut', target: '.USER_CLOSED', actions: because('the user opted out') },
      {
        guard: 'saysGoodbye',
        target: '.USER_CLOSED',
        actions: ['noteLanguage', because("the user's word closed it"), say('goodbye')],
      },
    ],
    // A voice message counts like a written one; the states that read it leave this to us.
    'xstate.done.actor.transcribe': [
      { guard: 'isHeardOptOut', target: '.USER_CLOSED', actions: because('the user opted out') },
      {
        guard: 'isHeardGoodbye',
        target: '.USER_CLOSED',
        actions: ['noteHeardLanguage', because("the user's word closed it"), say('goodbye')],
      },
    ],
    'operator.closed': [
      { guard: 'asSupport', target: '.SUPPORT_CLOSED', actions: becauseOperator('support closed it') },
      { guard: 'asAgent', target: '.AGENT_CLOSED', actions: becauseOperator('an agent closed it') },
    ],
    'delivery.updated': {
      guard: 'userIsUnreachable',
      target: '.FAILED',
      actions: because('the user cannot be reached at this address'),
    },
  },

  states: {
    PENDING: {
      description: 'Opened by the user’s first message; no answer yet.',
      initial: 'collecting',
      states: { collecting, transcribing, answering },
      on: {
        'message.received': [toPersonOnRequest, tooMany, collectAnew],
        'xstate.done.actor.transcribe': toPersonOnVoice,
        ...toPersonByOperator,
      },
      after: { pendingExpiry: { target: 'EXPIRED', actions: because('nobody answered in time') } },
    },

    PROGRESS: {
      description: 'The user and the assistant talk. Entered anew with every answer.',
      initial: 'waiting',
      states: {
        waiting: {
          description: 'Answered; it is the user’s turn.',
          entry: 'endTurn',
          after: {
            idleTimeout: [
              {
                guard: 'endsWithoutIdling',
                target: '#conversation.EXPIRED',
                actions: because('the user was silent, and this tenant waits no longer'),
              },
              { target: '#conversation.IDLE_TIMEOUT', actions: because('the user was silent') },
            ],
          },
        },
        collecting,
        transcribing,
        answering,
      },
      on: {
        'message.received': [toPersonOnRequest, tooMany, collectAnew],
        'xstate.done.actor.transcribe': toPersonOnVoice,
        ...toPersonByOperator,
      },
    },

    HUMAN_HANDOFF: {
      description: 'A person is asked for, or answering; the assistant is silent.',
      entry: 'endTurn',
      exit: ['dropOperator', 'returnToFirstLine'],
      initial: 'queued',
      states: {
        queued: {
          description: 'Waits for a person. What the user writes meanwhile does not make the wait longer.',
          on: {
            'message.received': { guard: 'goesOn', actions: 'noteLanguage' },
            'operator.assigned': {
              target: 'assigned',
              actions: ['assignOperator', because('an operator took it over')],
            },
            'operator.escalated': {
              guard: 'isFirstLine',
              target: 'queued',
              reenter: true,
              actions: ['escalate', becauseOperator('it was moved to the second line')],
            },
          },
          after: {
            handoffQueue: {
              target: '#conversation.PROGRESS',
              actions: ['noteNobodyCame', because('nobody took it over in time'), say('nobodyCame')],
            },
          },
        },
        assigned: {
          description: 'A person answers. Whatever either of the two writes begins the time anew.',
          entry: 'noteAnswered',
          on: {
            'message.received': { guard: 'goesOn', target: 'assigned', reenter: true, actions: 'noteLanguage' },
            'operator.replied': { guard: 'isAssigned', target: 'assigned', reenter: true, actions: 'sendReply' },
            'operator.extended': {
              guard: 'isAssigned',
              target: 'assigned',
              reenter: true,
              actions: because('an operator asked for more time'),
            },
            'operator.transferred': {
              guard: 'isTransfer',
              target: 'assigned',
              reenter: true,
              actions: ['transferTo', because('it was handed to a colleague')],
            },
            'operator.escalated': {
              guard: 'mayEscalate',
              target: 'queued',
              actions: ['escalate', becauseOperator('it was moved to the second line')],
            },
            'operator.released': {
              guard: 'isAssigned',
              target: '#conversation.PROGRESS',
              actions: because('the operator gave it back'),
            },
          },
          after: {
            handoffExpiry: { target: '#conversation.EXPIRED', actions: because('both were silent in the handoff') },
          },
        },
      },
    },

    IDLE_TIMEOUT: {
      description: 'Nobody wrote for a while; a message brings it back.',
      on: {
        'message.received': [
          toPersonOnRequest,
          tooMany,
          {
            guard: 'goesOn',
            target: 'PROGRESS.collecting',
            actions: [because('the user came back'), 'collect'],
          },
        ],
        ...toPersonByOperator,
      },
      after: { idleExpiry: { target: 'EXPIRED', actions: because('the user did not come back') } },
    },

    // Closed, from the weakest to the strongest: a stronger closing wins, whichever comes first.
    EXPIRED: { description: 'Time ran out.', tags: 'closed', entry: 'endTurn' },
    AGENT_CLOSED: {
      description: 'Closed by an operator of the first line.',
      tags: 'closed',
      entry: 'endTurn',
      on: {
        'operator.closed': [
          { guard: 'asSupport', target: 'SUPPORT_CLOSED', actions: becauseOperator('support closed it') },
          {},
        ],
      },
    },
    SUPPORT_CLOSED: {
      description: 'Closed by an operator of the second line.',
      tags: 'closed',
      entry: 'endTurn',
      on: { 'operator.closed': {} },
    },
    USER_CLOSED: {
      description: 'Closed by the user, who got one goodbye, or none after opting out.',
      tags: 'closed',
      entry: 'endTurn',
      on: { 'message.received': {}, 'xstate.done.actor.transcribe': {}, 'operator.closed': {} },
    },
    FAILED: {
      description: 'The conversation cannot go on; the next message opens another one, in recovery.',
      tags: 'closed',
      entry: 'endTurn',
      on: {
        'message.received': {},
        'xstate.done.actor.transcribe': {},
        'operator.closed': {},
        'delivery.updated': {},
      },
    },
  },
})
