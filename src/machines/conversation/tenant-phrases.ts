/**
 * The phrases that a tenant adds to ours: `phrases` in its settings, lists by the part that they play,
 * `{ "close": ["fim do papo"], "thanks": ["tmj"], "person": ["gerente"] }`. They are read when a conversation
 * opens and ride in its snapshot, so that replaying its journal needs nothing else; hence the limits.
 */
import type { Json, JsonObject } from '../json.ts'
import type { PhraseLists, Role } from './closing-word-lists.ts'
import { createVocabulary } from './closing-words.ts'
import type { Scheme, Vocabulary } from './closing-words.ts'
import { foldText } from './fold-text.ts'

/** What a tenant may add to; the other roles are grammar. */
const tenantRoles = ['close', 'thanks', 'person', 'stop', 'start', 'filler'] as const satisfies readonly Role[]

export type TenantPhrases = { readonly [role in (typeof tenantRoles)[number]]?: readonly string[] }

const phrasesMax = 40
const phraseCharactersMax = 60

/** What of the settings can be used; null when nothing can. */
export function readPhrases(settings: JsonObject): TenantPhrases | null {
  const stored = Object.hasOwn(settings, 'phrases') ? settings['phrases'] : undefined
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) return null
  const phrases: { [role: string]: readonly string[] } = {}
  for (const role of tenantRoles) {
    const listed: Json | undefined = Object.hasOwn(stored, role) ? (stored as JsonObject)[role] : undefined
    if (!Array.isArray(listed)) continue
    const usable = listed.filter(isPhrase).slice(0, phrasesMax)
    if (usable.length > 0) phrases[role] = usable
  }
  return Object.keys(phrases).length === 0 ? null : phrases
}

function isPhrase(value: Json): value is string {
  return typeof value === 'string' && value.length <= phraseCharactersMax && foldText(value) !== ''
}

const vocabularies = new Map<string, Vocabulary>()
/** Tenants with phrases of their own whose vocabularies are kept; building one takes a few milliseconds. */
const vocabulariesMax = 200

/** Our phrases and the tenant's. Snapshots hold copies of the same lists, so their text is the key. */
export function toTenantVocabulary(scheme: Scheme, phrases: TenantPhrases): Vocabulary {
  const key = `${scheme} ${JSON.stringify(phrases)}`
  const known = vocabularies.get(key)
  if (known !== undefined) return known
  if (vocabularies.size >= vocabulariesMax) vocabularies.clear()
  const vocabulary = createVocabulary(scheme, phrases satisfies PhraseLists)
  vocabularies.set(key, vocabulary)
  return vocabulary
}
