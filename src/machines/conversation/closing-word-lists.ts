/** The phrases that `closing-words.ts` knows, by the part that they play in a message. */
import { courtesyPhrases } from './courtesy-phrases.ts'
import { phraseList } from './phrase-list.ts'
import { requestPhrases } from './request-phrases.ts'

export const phrases = { ...courtesyPhrases, ...requestPhrases }

export type Role = keyof typeof phrases

export type PhraseLists = { readonly [role in Role]?: readonly string[] }

/** Twilio's keywords for SMS, beyond the ones that everybody knows. */
export const smsPhrases: PhraseLists = { stop: phraseList(`cancel, end, quit, revoke`) }
