/**
 * What a failed message means and what is done about it, by the provider's error code: one table for the answer to a
 * send and for its later callback. Codes and their meanings: Twilio's error list; the actions are ours.
 *
 *   retry           the same message is tried again after these delays, then it has failed
 *   close-window    the 24-hour window is closed, whatever our clock says; the message is held until the user writes
 *   pause-sender    nothing of this business address is accepted: alarm, all its sends wait, then one tries again
 *   split           the text is too long for one message: it is sent in shorter pieces
 *   opt-out         the user does not want it: recorded as an opt-out with this code as its proof
 *   bad-address     nobody can be reached at this address, whatever is sent: the conversation cannot go on
 *   template-alarm  a template is wrong: alarm; the message has failed
 *   alarm           the deployment is wrong: alarm; the message has failed
 *   tell-operator   this message cannot be delivered: it has failed, and the conversation shows why
 */
export type DeliveryAction =
  | { readonly kind: 'retry'; readonly afterMs: readonly number[] }
  | { readonly kind: 'pause-sender'; readonly forMs: number }
  | { readonly kind: 'close-window' | 'split' | 'opt-out' | 'bad-address' }
  | { readonly kind: 'template-alarm' | 'alarm' | 'tell-operator' }

export type DeliveryRule = {
  readonly action: DeliveryAction
  /** What an operator reads. */
  readonly meaning: string
}

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs

const soon: DeliveryAction = { kind: 'retry', afterMs: [5 * secondMs, 30 * secondMs, 2 * minuteMs] }
const patiently: DeliveryAction = { kind: 'retry', afterMs: [minuteMs, 5 * minuteMs, 30 * minuteMs, 2 * hourMs] }
/** At Meta one message in six seconds to one user is always allowed. */
const slowly: DeliveryAction = { kind: 'retry', afterMs: [10 * secondMs, 30 * secondMs, 2 * minuteMs, 10 * minuteMs] }
const pause: DeliveryAction = { kind: 'pause-sender', forMs: 5 * minuteMs }
const pauseForLong: DeliveryAction = { kind: 'pause-sender', forMs: hourMs }
const closeWindow: DeliveryAction = { kind: 'close-window' }
const split: DeliveryAction = { kind: 'split' }
const optOut: DeliveryAction = { kind: 'opt-out' }
const badAddress: DeliveryAction = { kind: 'bad-address' }
const templateAlarm: DeliveryAction = { kind: 'template-alarm' }
const alarm: DeliveryAction = { kind: 'alarm' }
const tellOperator: DeliveryAction = { kind: 'tell-operator' }

export const deliveryRules: { readonly [code: string]: DeliveryRule } = {
  // The window and limits
  '63016': { action: closeWindow, meaning: 'the 24-hour window is closed: only a template may be sent' },
  '63017': { action: patiently, meaning: 'the account sends too many messages a second' },
  '63018': { action: patiently, meaning: 'the channel limits how much may be sent' },
  '131056': { action: slowly, meaning: 'too many messages to this user in a short time' },
  '130429': { action: slowly, meaning: 'too many messages of this number in a short time' },
  '63032': { action: tellOperator, meaning: 'WhatsApp lets nobody write to this user at present' },
  '20429': { action: soon, meaning: 'too many requests at once' },
  '21611': { action: patiently, meaning: 'the queue of this number is full' },
  '30001': { action: patiently, meaning: 'the queue of this number is full' },
  '14107': { action: alarm, meaning: 'too many messages between two numbers: perhaps two programs answer each other' },
  // The user's address
  '63024': { action: badAddress, meaning: 'the address is not one that WhatsApp delivers to' },
  '63003': { action: badAddress, meaning: 'the channel does not know this address' },
  '21211': { action: badAddress, meaning: 'the address is not a phone number' },
  '21614': { action: badAddress, meaning: 'the address is not a mobile number' },
  '21612': { action: badAddress, meaning: 'the address cannot be reached from this number' },
  '30005': { action: badAddress, meaning: 'nobody has this number' },
  '30006': { action: badAddress, meaning: 'the number is a landline, or cannot be reached' },
  '30003': { action: tellOperator, meaning: 'the phone is switched off or out of reach' },
  '63015': { action: tellOperator, meaning: "the user has not joined the provider's sandbox" },
  // The user's will
  '21610': { action: optOut, meaning: 'the user has unsubscribed' },
  '63014': { action: optOut, meaning: 'the user has blocked this business' },
  '63033': { action: optOut, meaning: 'the user has blocked this business' },
  // The content
  '63013': { action: tellOperator, meaning: 'the message breaks a policy of the channel' },
  '63005': { action: tellOperator, meaning: 'the channel did not accept the content' },
  '63021': { action: tellOperator, meaning: 'the channel calls the content invalid' },
  '63019': { action: tellOperator, meaning: 'the attachment could not be fetched' },
  '21620': { action: tellOperator, meaning: 'the address of the attachment is wrong' },
  '21617': { action: split, meaning: 'the text is longer than one message may be' },
  '21619': { action: alarm, meaning: 'the message was empty' },
  '63031': { action: alarm, meaning: 'sender and receiver are the same' },
  '30004': { action: tellOperator, meaning: 'the message was blocked on its way' },
  '30007': { action: tellOperator, meaning: 'the message was filtered as unwanted' },
  // Templates
  '63027': { action: templateAlarm, meaning: 'there is no such template in this language' },
  '63028': { action: templateAlarm, meaning: 'the number of variables is not that of the template' },
  '63041': { action: templateAlarm, meaning: 'the template is paused' },
  '21654': { action: templateAlarm, meaning: 'a template is needed and none was named' },
  '21655': { action: templateAlarm, meaning: 'the id of the template is wrong' },
  '21656': { action: templateAlarm, meaning: 'the variables of the template are wrong' },
  // The sender and its account
  '63001': { action: pause, meaning: 'the channel does not know this sender any more' },
  '63007': { action: pause, meaning: 'the sender is not set up at the provider' },
  '63008': { action: pause, meaning: 'the sender is set up wrongly at the provider' },
  '63020': { action: pause, meaning: 'the business has not accepted the channel’s terms' },
  '63051': { action: pauseForLong, meaning: 'the WhatsApp account is locked' },
  '63038': { action: pauseForLong, meaning: 'the account has reached its limit of the day' },
  '30034': { action: pauseForLong, meaning: 'the number is not registered for business messages' },
  '20003': { action: pause, meaning: 'the provider does not accept our credentials' },
  '20404': { action: alarm, meaning: 'the provider does not know what was asked for' },
  '21408': { action: alarm, meaning: 'messages to this country are not enabled' },
  '21606': { action: alarm, meaning: 'the business number cannot send this' },
  '21212': { action: alarm, meaning: 'the business number is not one' },
  '21608': { action: alarm, meaning: 'a trial account writes to verified numbers only' },
  // Failures on the way
  '63009': { action: soon, meaning: 'the channel failed' },
  '63010': { action: soon, meaning: 'the provider failed' },
  '63012': { action: soon, meaning: 'the channel failed' },
  '30410': { action: soon, meaning: 'a network on the way did not answer' },
  // It may have been delivered: sent again it could arrive twice.
  '30008': { action: tellOperator, meaning: 'it was not delivered; the network does not say why' },
}

const unknown: DeliveryRule = { action: tellOperator, meaning: 'it was not delivered, for a reason that is new to us' }

export function toDeliveryRule(code: string | null): DeliveryRule {
  return (code !== null && Object.hasOwn(deliveryRules, code) ? deliveryRules[code] : undefined) ?? unknown
}
