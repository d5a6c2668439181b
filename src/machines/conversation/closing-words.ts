/**
 * What a whole message asks for in a word: to close, to say goodbye, to opt out or in, to reach a person.
 *
 * A message counts only when *every* word of it belongs to a phrase that we know, so a closing word in a
 * sentence that goes on, a negation or a question decides nothing: "obrigado, mas ainda preciso de ajuda",
 * "não quero sair", "can you cancel my order?". A closing that we miss costs one more message; a false one
 * throws a user out. Messages are folded first (case, accents, punctuation, emoji).
 *
 * Opting out wins over closing where the two share words (CANCEL, END and QUIT on SMS).
 */
import { foldText } from './fold-text.ts'
import { phrases, smsPhrases } from './closing-word-lists.ts'
import type { PhraseLists, Role } from './closing-word-lists.ts'

export type Intent = 'stop' | 'start' | 'handoff' | 'close' | 'thanks'

export type Scheme = 'sms' | 'whatsapp'

/** Known phrases (folded, by their words) with the roles that each may play, as bits. */
export type Vocabulary = {
  readonly roles: ReadonlyMap<string, number>
  readonly firstWords: ReadonlySet<string>
  readonly phraseWordsMax: number
}

/** Longer messages say more than a word. */
const bodyCharactersMax = 160
const wordsMax = 16

const bitOf: { readonly [role in Role]: number } = {
  polite: 1,
  filler: 2,
  thanks: 4,
  want: 8,
  conversation: 16,
  close: 32,
  closeAlone: 64,
  closeWhat: 128,
  person: 256,
  stop: 512,
  start: 1024,
}

/** The phrases of a scheme, and those that a tenant adds. Build it once and keep it. */
export function createVocabulary(scheme: Scheme, extra: PhraseLists = {}): Vocabulary {
  const roles = new Map<string, number>()
  const firstWords = new Set<string>()
  let phraseWordsMax = 0
  for (const lists of scheme === 'sms' ? [phrases, smsPhrases, extra] : [phrases, extra]) {
    for (const role of Object.keys(lists) as Role[]) {
      for (const phrase of lists[role] ?? []) {
        const folded = foldText(phrase)
        roles.set(folded, (roles.get(folded) ?? 0) | bitOf[role])
        const words = folded.split(' ')
        firstWords.add(words[0] ?? '')
        phraseWordsMax = Math.max(phraseWordsMax, words.length)
      }
    }
  }
  return { roles, firstWords, phraseWordsMax }
}

export const vocabularyOf: { readonly [scheme in Scheme]: Vocabulary } = {
  sms: createVocabulary('sms'),
  whatsapp: createVocabulary('whatsapp'),
}

export function readIntent(body: string, vocabulary: Vocabulary): Intent | null {
  if (body.length > bodyCharactersMax) return null
  const words = foldText(body).split(' ')
  // Most messages end here: their first word begins nothing that we know.
  if (words.length > wordsMax || !vocabulary.firstWords.has(words[0] ?? '')) return null
  const isQuestion = /[?¿؟？]/u.test(body)
  const readings = [...findReadings(words, vocabulary)]
  for (const intent of ['stop', 'start', 'handoff', 'close', 'thanks'] as const) {
    // "sair?" asks; "posso falar com um atendente?" asks for it.
    if (isQuestion && intent !== 'handoff') continue
    if (readings.some((reading) => means[intent](reading))) return intent
  }
  return null
}

/** Every way to read all the words as known phrases: the roles that such a reading contains, as bits. */
function findReadings(words: readonly string[], { roles, phraseWordsMax }: Vocabulary): ReadonlySet<number> {
  const readingsUpTo: Set<number>[] = [new Set([0])]
  for (let end = 1; end <= words.length; end += 1) {
    const readings = new Set<number>()
    for (let start = Math.max(0, end - phraseWordsMax); start < end; start += 1) {
      const before = readingsUpTo[start]
      if (before === undefined || before.size === 0) continue
      const possible = roles.get(words.slice(start, end).join(' '))
      if (possible === undefined) continue
      for (const bit of Object.values(bitOf)) {
        if ((possible & bit) !== 0) for (const reading of before) readings.add(reading | bit)
      }
    }
    readingsUpTo.push(readings)
  }
  return readingsUpTo[words.length] ?? new Set()
}

const courtesy = bitOf.polite | bitOf.filler | bitOf.thanks

const means: { readonly [intent in Intent]: (reading: number) => boolean } = {
  stop: (reading) => has(reading, bitOf.stop) && hasOnly(reading, bitOf.stop | bitOf.polite),
  start: (reading) => has(reading, bitOf.start) && hasOnly(reading, bitOf.start | bitOf.polite),
  handoff: (reading) => has(reading, bitOf.person) && hasOnly(reading, bitOf.person | bitOf.want | courtesy),
  close: isClosing,
  thanks: (reading) => has(reading, bitOf.thanks) && hasOnly(reading, courtesy),
}

/** "quero sair" closes; "quero cancelar" may be about an order, so it needs "o atendimento"; "fechar" always does. */
function isClosing(reading: number): boolean {
  const verb = bitOf.close | bitOf.closeAlone | bitOf.closeWhat
  if (!hasOnly(reading, verb | bitOf.want | bitOf.conversation | courtesy)) return false
  if (has(reading, bitOf.close)) return true
  if (has(reading, bitOf.conversation)) return has(reading, verb)
  return has(reading, bitOf.closeAlone) && !has(reading, bitOf.want | bitOf.closeWhat)
}

function has(reading: number, bits: number): boolean {
  return (reading & bits) !== 0
}

function hasOnly(reading: number, bits: number): boolean {
  return (reading & ~bits) === 0
}
