/**
 * How the parts of a message (`closing-word-lists.ts`) are put together so that the whole means an intent.
 * What no pattern reads decides nothing. Four rules explain most of what is missing here:
 *
 * 1. A negation appears only where it is the wish itself: "não quero mais receber mensagens", "not a bot, I want
 *    a person". "I don't want to stop getting messages" has no pattern.
 * 2. A verb that could mean the business of the tenant needs its object: "cancel" alone closes, "I want to cancel"
 *    does not, "I want to cancel the chat" does; "sair" closes as a wish, but "vou sair" may be on the way to a bus.
 * 3. A question asks for nothing but a person, unless it is put to us: "can you close this chat?".
 * 4. A goodbye with a time in it ("hasta mañana") limits an opt-out or a wish for a person: they stand without.
 */
import { RoleAutomaton } from './role-automaton.ts'

export type Intent = 'stop' | 'start' | 'handoff' | 'close' | 'thanks'

/** Each stands for its pattern in those below it. */
const definitions = {
  // Courtesy
  goodDay: 'the? good+ dayPart toYou?',
  beside: '(polite | noted | done | filler | name | now | goodDay)',
  favours: 'favourOf* favour (and? forWhat? favourOf* favour)*',
  thanked: 'degree* thanks (degree | toYou)* (forWhat favours)?',
  appreciated: 'appreciate (degree | toYou)* (forWhat? favourOf+ favours | forWhat favours)?',
  parting: '(thanked | bye toYou? | have goodDay)',
  around: '(beside | greeting | parting)',
  before: '(polite | noted | filler | name | greeting | thanked | goodDay)',

  // Wishes
  lead: '(polite | just | now)*',
  wished: 'lead (wish | ask) lead',
  planned: 'lead (wish | ask | plan)? lead',
  asked: 'lead ask lead',

  // Closing
  thisChat: 'of? (the | these | my)* conversation here?',
  ending: '(close | closeAlone | closeWhat) here?',
  closing: `(
    wished? close here? | closeAlone | cancelAlone |
    planned ending thisChat | planned (cancel | cancelAlone) of? (the | these)* conversation |
    planned ending of? (the | these)* session)`,
  closingAsked: 'asked (ending | cancel | cancelAlone) of? (the | these)* conversation here?',

  // A person
  aPerson: '(the | these)* real* (person | somebody) real*',
  anyone: '(the | these)* real* (person | somebody | team) real*',
  realPerson: '(the* person real* | the* real+ (person | somebody) real* | the* somebody real+)',
  wishing: 'lead (wish | ask | plan | may | prefer)* lead',
  reached: '(talk to? anyone | pass to anyone | pass aPerson | served to? aPerson)',
  personWished:
    '(wishing reached | wishing realPerson | lead (wish | plan | prefer) lead of? aPerson | isThere realPerson here?)',
  aBot: '(talk | pass)? to? (the | these)* bot',
  noBot: 'i? negation lead (wish | plan) talk to? (the | these)* bot',
  notABot: '(i? negation (wish | plan)? aBot | insteadOf aBot)',
  handoff: '(noBot | notABot (but | and)? (personWished | aPerson) | personWished (and | but)? notABot | personWished)',

  // Opting out
  many: '(the | these | more)* messages',
  sent: '((the | these | more)* (messages | ads) | more* message) (more | fromYou)*',
  sentNo: '((these | more)* (messages | ads) | more* message) (more | fromYou)*',
  doing: '(send sent | receive sent | write (more | fromYou)* )',
  stopping: `(
    stopDoing (doing | of? many fromYou* | message) | stopOf of (doing | many fromYou*) | stopThing of? flowOf? many fromYou* |
    enough of? (the | these)* (messages | ads) fromYou* |
    leave (of | to)? many fromYou* | leave sendingList | remove sendingList | unsubscribe (of? many fromYou* | sendingList)?)`,
  stopWished: 'lead (wish that? | ask | plan)? lead stopping',
  optedOut: `(
    stop | stopWished now? | i? wish many fromYou* toStop | i? (wish | prefer) negation more* receive sent | i? negation wish (
      more* receive sent | more* flowOf? many (more | fromYou)* | more+ message fromYou* | more* ads more+ fromYou* | more+ ads fromYou* |
      more* contacted (more | fromYou)* | that (send sentNo | write (more | fromYou)*)) |
    negation lead (send sentNo | write (more | fromYou)*))`,
  stopAsked: 'asked stopping now?',
}

/** What is said, and what may be asked. */
const patterns: readonly { readonly intent: Intent; readonly isAsked: boolean; readonly pattern: string }[] = [
  { intent: 'stop', isAsked: false, pattern: 'before* optedOut (polite | name | thanked | and? optedOut)*' },
  { intent: 'stop', isAsked: true, pattern: 'before* stopAsked (polite | name | thanked)*' },
  { intent: 'start', isAsked: false, pattern: 'polite* start polite*' },
  { intent: 'handoff', isAsked: true, pattern: 'before* handoff (and? (before | now | handoff))*' },
  { intent: 'close', isAsked: false, pattern: '(around+ and?)? closing (and? (around | closing))*' },
  { intent: 'close', isAsked: true, pattern: 'around* closingAsked (and? around)*' },
  {
    intent: 'thanks',
    isAsked: false,
    pattern: '(beside+ and?)? (parting | appreciated) (and? (parting | appreciated | beside))*',
  },
]

/** Where two are read from the same words, the first wins: CANCEL on SMS opts out and does not close. */
const precedence: readonly Intent[] = ['stop', 'start', 'handoff', 'close', 'thanks']

export const grammar = new RoleAutomaton(
  definitions,
  patterns.map(({ pattern }) => pattern),
)

/** What a whole message means by the states that its readings end in. */
export function intentOf(states: readonly number[], isQuestion: boolean): Intent | null {
  const meant = states
    .flatMap((state) => grammar.completeIn(state))
    .flatMap((number) => patterns[number] ?? [])
    .filter(({ isAsked }) => isAsked || !isQuestion)
    .map(({ intent }) => intent)
  return precedence.find((intent) => meant.includes(intent)) ?? null
}
