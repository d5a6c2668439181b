/**
 * What a whole message asks for in a word: to close, to say goodbye, to opt out or in, to reach a person.
 *
 * A message counts only when *every* word of it belongs to a phrase that we know (`closing-word-lists.ts`) and the
 * parts that these play make a sentence of our grammar (`closing-grammar.ts`); so a closing word in a sentence
 * that goes on, a negation or a question decides nothing: "obrigado, mas ainda preciso de ajuda", "não quero
 * sair", "can you cancel my order?". A closing that we miss costs one more message; a false one throws a user
 * out. Messages are folded first (case, accents, punctuation, emoji).
 */
import { grammar, intentOf } from './closing-grammar.ts'
import type { Intent } from './closing-grammar.ts'
import { phrases, smsPhrases } from './closing-word-lists.ts'
import type { PhraseLists } from './closing-word-lists.ts'
import { foldText } from './fold-text.ts'
import { dead } from './role-automaton.ts'

export type { Intent } from './closing-grammar.ts'

export type Scheme = 'sms' | 'whatsapp'

/** The known phrases as a tree of their words, with the roles of the phrase that ends here (by number). */
export type Vocabulary = {
  readonly roles: readonly number[]
  readonly byWord: ReadonlyMap<string, Vocabulary>
}

/** Longer messages say more than a word. */
const bodyCharactersMax = 160
const wordsMax = 16

type Entry = { readonly words: readonly string[]; readonly role: number }

const ourEntries = toEntries(phrases)
const smsEntries = toEntries(smsPhrases)

/** The phrases of a scheme, and those that a tenant adds. Build it once and keep it. */
export function createVocabulary(scheme: Scheme, extra: PhraseLists = {}): Vocabulary {
  const root: Branch = { roles: [], byWord: new Map() }
  const entries = scheme === 'sms' ? [ourEntries, smsEntries] : [ourEntries]
  for (const entry of [...entries, toEntries(extra)].flat()) grow(root, entry)
  return root
}

function toEntries(lists: PhraseLists): readonly Entry[] {
  return Object.entries(lists).flatMap(([name, listed]) => {
    const role = grammar.roleNumbers.get(name)
    if (role === undefined) throw new Error(`the grammar has no role ${name}`)
    return listed.map((phrase) => ({ words: foldText(phrase).split(' '), role }))
  })
}

type Branch = { readonly roles: number[]; readonly byWord: Map<string, Branch> }

function grow(root: Branch, { words, role }: Entry): void {
  let branch = root
  for (const word of words) {
    const grown = branch.byWord.get(word) ?? { roles: [], byWord: new Map() }
    branch.byWord.set(word, grown)
    branch = grown
  }
  if (!branch.roles.includes(role)) branch.roles.push(role)
}

export const vocabularyOf: { readonly [scheme in Scheme]: Vocabulary } = {
  sms: createVocabulary('sms'),
  whatsapp: createVocabulary('whatsapp'),
}

export function readIntent(body: string, vocabulary: Vocabulary): Intent | null {
  if (body.length > bodyCharactersMax) return null
  const words = foldText(body).split(' ')
  if (words.length > wordsMax) return null
  return intentOf(readWords(words, vocabulary), /[?¿؟？]/u.test(body))
}

/** Every way to read all the words as known phrases in an order of the grammar: the states that these end in. */
function readWords(words: readonly string[], vocabulary: Vocabulary): readonly number[] {
  const reached: number[][] = [[0], ...words.map(() => [])]
  for (let start = 0; start < words.length; start += 1) {
    const states = reached[start] ?? []
    let branch = states.length === 0 ? undefined : vocabulary.byWord.get(words[start] ?? '')
    for (let end = start + 1; branch !== undefined; end += 1) {
      addSteps(states, branch.roles, reached[end] ?? [])
      branch = branch.byWord.get(words[end] ?? '')
    }
  }
  return reached[words.length] ?? []
}

function addSteps(states: readonly number[], roles: readonly number[], after: number[]): void {
  for (const role of roles) {
    for (const state of states) {
      const next = grammar.step(state, role)
      if (next !== dead && !after.includes(next)) after.push(next)
    }
  }
}
