/** What an operator wrote as the messages that the provider takes, on SMS and on WhatsApp. */
import { describe, expect, test } from 'vitest'

import { toReplies } from '../../src/machines/conversation/to-replies.ts'

const picture = 'https://example.com/a.png'
const paper = 'https://example.com/a.pdf'
const reply = {
  type: 'operator.replied',
  operatorId: 'ana',
  body: 'see here',
  mediaUrls: [] as readonly string[],
  contentSid: null,
  at: 0,
} as const

const author = 'operator'

describe('a template', () => {
  test('is a message of its own, with its variables when it has some', () => {
    const template = { ...reply, body: '', contentSid: 'HX1' }
    expect(toReplies(template, 'whatsapp')).toEqual([{ author, body: '', contentSid: 'HX1' }])
    expect(toReplies({ ...template, contentVariables: '{}' }, 'sms')).toEqual([
      { author, body: '', contentSid: 'HX1', contentVariables: '{}' },
    ])
    expect(toReplies(template, 'sms')[0]).not.toHaveProperty('contentVariables')
  })
})

describe('a text alone', () => {
  test.each(['sms', 'whatsapp'] as const)('is the same on %s', (scheme) => {
    expect(toReplies(reply, scheme)).toEqual([{ author, body: 'see here' }])
  })
})

describe('on SMS', () => {
  test('all attachments are carried beside the text, or alone', () => {
    const mediaUrls = [picture, paper]
    expect(toReplies({ ...reply, mediaUrls }, 'sms')).toEqual([{ author, body: 'see here', mediaUrls }])
    expect(toReplies({ ...reply, body: '', mediaUrls }, 'sms')).toEqual([{ author, body: '', mediaUrls }])
  })

  test('the first piece of a long text carries them', () => {
    const replies = toReplies({ ...reply, body: 'one two. '.repeat(300), mediaUrls: [paper] }, 'sms')
    expect(replies.map(({ mediaUrls }) => mediaUrls)).toEqual([[paper], undefined])
    expect(replies.every(({ body }) => body.length > 0)).toBe(true)
  })
})

describe('on WhatsApp', () => {
  test.each(['jpg', 'jpeg', 'png', 'webp', 'gif', 'mp4', '3gp', '3gpp', 'PNG'])(
    'a text stands under a .%s',
    (ending) => {
      const mediaUrls = [`https://example.com/a.${ending}?size=1`]
      expect(toReplies({ ...reply, body: ' see here ', mediaUrls }, 'whatsapp')).toEqual([
        { author, body: 'see here', mediaUrls },
      ])
    },
  )

  test.each(['a.pdf', 'a.png.zip', 'apng', 'a', 'a?as=b.png', 'a.ogg', 'a.pngx'])(
    'a text goes before %s, which would drop it',
    (file) => {
      const mediaUrls = [`https://example.com/${file}`]
      expect(toReplies({ ...reply, mediaUrls }, 'whatsapp')).toEqual([
        { author, body: 'see here' },
        { author, body: '', mediaUrls },
      ])
    },
  )

  test('a text of up to 1,024 characters stands under a picture, a longer one before it', () => {
    const mediaUrls = [picture]
    const longest = 'x'.repeat(1_024)
    expect(toReplies({ ...reply, body: `${longest} `, mediaUrls }, 'whatsapp')).toEqual([
      { author, body: longest, mediaUrls },
    ])
    expect(toReplies({ ...reply, body: `${longest}x`, mediaUrls }, 'whatsapp')).toEqual([
      { author, body: `${longest}x` },
      { author, body: '', mediaUrls },
    ])
  })

  test('each further attachment is a message of its own, in order', () => {
    const mediaUrls = [picture, paper, `${picture}?2`]
    const more = [paper, `${picture}?2`].map((url) => ({ author, body: '', mediaUrls: [url] }))
    expect(toReplies({ ...reply, mediaUrls }, 'whatsapp')).toEqual([
      { author, body: 'see here', mediaUrls: [picture] },
      ...more,
    ])
    expect(toReplies({ ...reply, mediaUrls: [paper, ...mediaUrls.slice(1)] }, 'whatsapp')).toEqual([
      { author, body: 'see here' },
      { author, body: '', mediaUrls: [paper] },
      ...more,
    ])
  })

  test('an attachment without a text has none', () => {
    expect(toReplies({ ...reply, body: '', mediaUrls: [paper] }, 'whatsapp')).toEqual([
      { author, body: '', mediaUrls: [paper] },
    ])
  })
})
