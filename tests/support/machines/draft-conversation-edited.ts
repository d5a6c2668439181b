/** The draft after one more edit: the code of one guard, and nothing that the chart shows. */
import { createDraft } from './draft-conversation.ts'

export const registration = createDraft('money back')
