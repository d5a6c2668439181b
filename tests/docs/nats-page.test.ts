import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

import { loggedEventSchema } from '../../src/actors/logged-event.ts'
import { natsPageFile, renderNatsPage } from '../../scripts/nats-doc.ts'

test('the committed page is what the script makes of the code', async () => {
  expect(await readFile(natsPageFile, 'utf8')).toBe(renderNatsPage())
})

test('every example on the page is an event that the code accepts', async () => {
  const blocks = [...(await readFile(natsPageFile, 'utf8')).matchAll(/```json\n(.+?)```/gsu)].map(
    ([, text = '']) => JSON.parse(text) as { type: string; $schema?: string },
  )
  const schemas = blocks.filter((block) => block.$schema !== undefined)
  const examples = blocks.filter((block) => block.$schema === undefined)
  expect([schemas.length, examples.length]).toEqual([5, 5])
  for (const example of examples) expect(loggedEventSchema.parse(example)).toEqual(example)
})
