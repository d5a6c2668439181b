/** The machines that are walked, by name. */
import { conversationModel } from './conversation/conversation-model.ts'
import type { Model } from './kit/model.ts'

export const models: { readonly [machine: string]: Model } = { conversation: conversationModel }
