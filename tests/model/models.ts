/** The machines that are walked, by name. */
import { conversationModel } from './conversation/conversation-model.ts'
import type { Model } from './kit/model.ts'
import { orderModel } from './order/order-model.ts'

export const models: { readonly [machine: string]: Model } = { conversation: conversationModel, order: orderModel }
