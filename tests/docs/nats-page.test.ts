import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

import { messageSchema } from '../../src/actors/logged-event.ts'
import { natsPageFile, renderNatsPage } from '../../scripts/nats-doc.ts'

test('the committed page is what the script makes of the code', async () => {
  expect(await readFile(natsPageFile, 'utf8')).toBe(renderNatsPage())
})

test('every example on the page is an event that the code accepts', async () => {
  const blocks = [...(await readFile(natsPageFile, 'utf8')).matchAll(/```json\n(.+?)```/gsu)].map(
    ([, text = '']) => JSON.parse(text) as { type: string; $schema?: string },
  )
  const [message] = blocks.filter(({ type }) => type === 'message.received')
  expect(messageSchema.parse(message)).toEqual(message)
  expect(blocks.filter((block) => block.$schema !== undefined)).toHaveLength(3)
})
