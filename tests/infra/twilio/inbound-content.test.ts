import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { messageSchema } from '../../../src/actors/logged-event.ts'
import { contentOf, partsMax } from '../../../src/machines/content.ts'
import { describeMessage } from '../../../src/machines/conversation/describe-content.ts'
import { toLoggedMessage } from '../../../src/infra/twilio/inbound-message.ts'
import { messageForm } from './webhook-fixture.ts'

const url = 'https://api.twilio.com/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1'

function read(fields: Record<string, string | readonly string[]>) {
  const parsed = toLoggedMessage({ ...messageForm, Body: '', ...fields }, 1_790_000_000_000)
  if (parsed.kind !== 'event') throw new Error('it is malformed')
  return parsed.event
}

function media(contentType: string, more: Record<string, string> = {}) {
  return { NumMedia: '1', MediaUrl0: url, MediaContentType0: contentType, ...more }
}

describe('the parts of a message', () => {
  test('are none where it is plain text, or nothing', () => {
    expect(read({ Body: 'hello' })).not.toHaveProperty('content')
    expect(read({ Body: '' })).not.toHaveProperty('content')
  })

  test.each([
    ['image/jpeg', 'image', { kind: 'image', media: 0 }],
    ['image/webp', 'sticker', { kind: 'sticker', media: 0 }],
    ['video/mp4', 'video', { kind: 'video', media: 0 }],
    ['audio/ogg; codecs=opus', 'audio', { kind: 'audio', media: 0 }],
    ['AUDIO/OGG', 'audio', { kind: 'audio', media: 0 }],
    ['text/vcard', 'contacts', { kind: 'contact', media: 0 }],
    ['text/x-vcard; charset=utf-8', 'contacts', { kind: 'contact', media: 0 }],
    ['application/pdf', 'document', { kind: 'document', media: 0, fileName: null }],
    ['text/vcardish', 'document', { kind: 'document', media: 0, fileName: null }],
  ])('of %s is %s', (contentType, MessageType, part) => {
    expect(read(media(contentType, { MessageType })).content).toEqual([part])
  })

  test('of a document are its name, which is nobody’s words, with and without a type', () => {
    const named = media('application/pdf', { Body: 'STOP', MessageType: 'document' })
    expect(read(named)).toMatchObject({ body: '', content: [{ kind: 'document', media: 0, fileName: 'STOP' }] })
    // As Twilio's own list has it.
    const listed = { ...named, MessageType: ['document', 'document'] }
    expect(read(listed)).toMatchObject({ body: '', content: [{ kind: 'document', fileName: 'STOP' }] })
    const pictured = media('image/png', { Body: 'a drawing.png', MessageType: 'document' })
    expect(read(pictured)).toMatchObject({ body: '', content: [{ kind: 'image', media: 0 }] })
    // An MMS carries words beside its file.
    const mms = { ...listed, From: '+15005550006', To: '+14155238886', Body: 'see the file' }
    expect(read(mms)).toMatchObject({ body: 'see the file', content: [{ kind: 'text' }, { kind: 'document' }] })
  })

  test.each([
    ['-23.5', '-46.6', true],
    ['0', '0', true],
    ['90.0000001', '0', false],
    ['0', '-181', false],
    ['NaN', '0', false],
    ['1e1', '0', false],
    ['', '0', false],
    ['0x10', '0', false],
  ])('at %s, %s are a place: %s', (Latitude, Longitude, isPlace) => {
    const { content = [] } = read({ MessageType: 'location', Latitude, Longitude })
    expect(content.map(({ kind }) => kind)).toEqual([isPlace ? 'location' : 'unknown'])
  })

  test('are bounded, whatever is sent', () => {
    const long = 'é'.repeat(9_000)
    const event = read({
      ...media('application/pdf', { Body: long, MessageType: 'document' }),
      ButtonText: long,
      ButtonPayload: long,
      ListId: long,
      FlowData: long,
      ReferralBody: long,
      ReferralSourceUrl: long,
      OriginalRepliedMessageSid: long,
      Address: long,
      Latitude: '1',
      Longitude: '1',
    })
    expect(messageSchema.safeParse(event).error).toBeUndefined()
    expect(JSON.stringify(event.content).length).toBeLessThan(20_000)
    expect(describeMessage(event).length).toBeLessThan(3_000)
  })
})

const fieldNames = `Body NumMedia MessageType Latitude Longitude Address Label
  ButtonText ButtonPayload ListId ListTitle FlowData
  InteractiveData ReferralBody ReferralHeadline ReferralSourceUrl OriginalRepliedMessageSid Forwarded FrequentlyForwarded MediaUrl0 MediaContentType0 MediaUrl1`.split(
  /\s+/u,
)

test('whatever Twilio sends, the log takes it, and its parts name attachments that are there', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      '1',
      '10',
      '99',
      '-1',
      'document',
      'audio',
      'location',
      'true',
      '\u0000',
      '\ud800',
      'x'.repeat(5_000),
    ),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...fieldNames), value, { maxKeys: 12 }), (fields) => {
      const event = read(fields)
      const parsed = messageSchema.safeParse(event)
      expect(parsed.error).toBeUndefined()
      const parts = contentOf(event)
      expect(parts.length).toBeLessThanOrEqual(partsMax)
      const attached = parts.flatMap((part) => ('media' in part ? [part.media] : []))
      expect(attached.filter((index) => event.media[index] === undefined)).toEqual([])
      expect(describeMessage(event).isWellFormed()).toBe(true)
    }),
    { numRuns: 1_000 },
  )
})
