/** A real-shaped WhatsApp message of the sandbox, and its signature. */
import twilio from 'twilio'

export const accountSid = `AC${'a1'.repeat(16)}`
export const authToken = '12345678901234567890123456789012'
export const publicUrl = 'https://chat.example.com'
export const messageSid = `SM${'0f'.repeat(16)}`

export const messageForm = {
  SmsMessageSid: messageSid,
  NumMedia: '0',
  ProfileName: 'Maria José 👋',
  MessageType: 'text',
  SmsSid: messageSid,
  WaId: '15005550006',
  SmsStatus: 'received',
  Body: ' Olá + & = % \n 👍 ',
  To: 'whatsapp:+14155238886',
  NumSegments: '1',
  ReferralNumMedia: '0',
  MessageSid: messageSid,
  AccountSid: accountSid,
  ChannelMetadata: '{"type":"whatsapp","data":{"context":{}}}',
  From: 'whatsapp:+15005550006',
  ExternalUserId: 'whatsapp:US.1234567890123456',
  ApiVersion: '2010-04-01',
} as const

export const deliveryForm = {
  SmsSid: messageSid,
  SmsStatus: 'delivered',
  MessageStatus: 'delivered',
  ChannelToAddress: '+1500555XXXX',
  To: 'whatsapp:+15005550006',
  ChannelPrefix: 'whatsapp',
  MessageSid: messageSid,
  AccountSid: accountSid,
  From: 'whatsapp:+14155238886',
  EventType: 'DELIVERED',
  ApiVersion: '2010-04-01',
} as const

export const messagesPath = '/webhooks/twilio/messages'

export function sign(url: string, form: { readonly [field: string]: unknown }, token = authToken): string {
  return twilio.getExpectedTwilioSignature(token, url, form)
}
