/** The parts of a message as the log's door takes them: every text is bounded, and nothing is there beside what is named. */
import * as z from 'zod'

import { partCharactersMax, partsMax } from '../machines/content.ts'
import type { ContentPart } from '../machines/content.ts'

/** Text that PostgreSQL's jsonb can hold: no NUL, no lone surrogates. */
const text = (charactersMax: number) =>
  z
    .string()
    .max(charactersMax)
    .refine((value) => value.isWellFormed() && !value.includes('\u0000'), 'holds NUL or lone surrogates')

const short = text(512)
const media = z.number().int().min(0).max(9)

const contentPartSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('text'), text: text(65_536) }),
  z.strictObject({ kind: z.enum(['image', 'sticker', 'video', 'audio']), media }),
  z.strictObject({ kind: z.literal('document'), media, fileName: short.nullable() }),
  z.strictObject({ kind: z.literal('contact'), media }),
  z.strictObject({
    kind: z.literal('location'),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    label: short.nullable(),
    address: short.nullable(),
  }),
  z.strictObject({ kind: z.literal('button'), text: short, payload: short.nullable() }),
  z.strictObject({ kind: z.literal('listReply'), id: short, title: short.nullable() }),
  z.strictObject({ kind: z.literal('form'), data: text(partCharactersMax) }),
  z.strictObject({
    kind: z.literal('referral'),
    sourceType: short.nullable(),
    sourceId: short.nullable(),
    sourceUrl: text(2_048).nullable(),
    headline: short.nullable(),
    text: text(partCharactersMax).nullable(),
    clickId: short.nullable(),
  }),
  z.strictObject({ kind: z.literal('quote'), providerId: text(128) }),
  z.strictObject({ kind: z.literal('forwarded'), isFrequent: z.boolean() }),
  z.strictObject({ kind: z.literal('unknown'), messageType: text(64) }),
])

export const contentSchema: z.ZodType<readonly ContentPart[]> = z.array(contentPartSchema).max(partsMax)
