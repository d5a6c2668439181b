/**
 * A second program that speaks to Duologue over NATS alone: it publishes what a user wrote and ends when the log has
 * it. Nothing here is imported from Duologue; the rules are those of docs/nats.md.
 *
 *   NATS_URL=nats://127.0.0.1:4222 NATS_USER=… NATS_PASSWORD=… \
 *     node publish-message.mjs whatsapp:+14155238886 whatsapp:+15005550006 <id> 'Hello!'
 */
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

const [business, user, providerId, body] = process.argv.slice(2)
const { NATS_URL: servers, NATS_USER: username, NATS_PASSWORD: pass } = process.env

/** [A-Za-z0-9-] stay; every other character becomes `_` and two hex digits for each of its UTF-8 bytes. */
const toToken = (address) =>
  address.replace(/[^A-Za-z0-9-]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `_${byte.toString(16).toUpperCase().padStart(2, '0')}`)
      .join(''),
  )

const event = {
  v: 1,
  type: 'message.received',
  businessAddress: business,
  userKey: user,
  replyAddress: user,
  providerId,
  body,
  media: [],
  profileName: null,
  receivedAt: Date.now(),
  raw: {},
}
const subject = `duologue.in.message.${toToken(business)}.${toToken(user)}`
const msgID = `message:${business}:${providerId}`

const connection = await connect({ servers, user: username, pass, inboxPrefix: '_INBOX_publisher' })
const { stream, seq, duplicate } = await jetstream(connection).publish(subject, JSON.stringify(event), { msgID })
console.log(JSON.stringify({ stream, seq, duplicate }))
await connection.close()
