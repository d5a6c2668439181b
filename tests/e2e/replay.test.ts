/** A thousand conversations that came through the webhook, replayed: on their own machine, and on a proposed one. */
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { ReplayDifference, ReplayLine } from '../../src/charts/review/replay-line.ts'
import { headers, startReviewedService, toPath } from '../browser/reviewed-service.ts'
import type { ReviewedService } from '../browser/reviewed-service.ts'
import { runCommand } from '../support/command.ts'
import { until } from '../support/service.ts'
import { draftVersion, ownVersion } from '../support/machines/draft-conversation.ts'

const conversations = 1_000
let reviewed: ReviewedService

beforeAll(async () => {
  reviewed = await startReviewedService(conversations)
}, 600_000)
afterAll(() => reviewed?.close())

async function read(ref: string): Promise<readonly ReplayLine[]> {
  const path = `/api/charts/${encodeURIComponent(ref)}/replay?count=${conversations * 2}`
  const text = await (await fetch(`${reviewed.url()}${path}`, { headers })).text()
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as ReplayLine)
}

const toIds = (lines: readonly ReplayDifference[]): readonly string[] => lines.map(({ id }) => id).toSorted()
const differing = (lines: readonly ReplayLine[]) => lines.filter((line) => line.kind === 'differs')

test('on the same version none of them differs', { timeout: 120_000 }, async () => {
  const lines = await read(`conversation@${ownVersion}`)
  expect(lines.at(-1)).toMatchObject({ kind: 'done', done: conversations, same: conversations, differs: 0, unknown: 0 })
  expect(lines.filter(({ kind }) => kind === 'progress').length).toBeGreaterThan(0)
})

test(
  'on the draft exactly those differ that its guard is asked about, and those that its goodbye went to',
  { timeout: 120_000 },
  async () => {
    const lines = await read(`conversation@${draftVersion}+draft`)
    const refunds = await reviewed.listSaying('refund')
    const goodbyes = await reviewed.listSaying('sair')
    expect(refunds).toHaveLength(conversations / 4)
    const found = differing(lines)
    expect(toIds(found.filter(({ ends }) => ends.would === 'HUMAN_HANDOFF'))).toEqual(refunds.toSorted())
    expect(toIds(found.filter(({ ends }) => ends.would === 'USER_CLOSED'))).toEqual(goodbyes.toSorted())
    expect(found).toHaveLength(refunds.length + goodbyes.length)
    const { ms, steps } = lines.find((line) => line.kind === 'done') ?? { ms: 0, steps: 0 }
    console.log(
      `${conversations} journals, ${steps} steps, in ${ms} ms: ${Math.round((conversations / ms) * 1_000)} journals/s`,
    )
    expect(conversations / (ms / 1_000)).toBeGreaterThan(100)
  },
)

test('whoever stops listening gives the place free for others', { timeout: 120_000 }, async () => {
  const path = `/api/charts/conversation@${ownVersion}/replay?count=${conversations}`
  for (let round = 0; round < 4; round += 1) {
    const stop = new AbortController()
    const answer = await fetch(`${reviewed.url()}${path}`, { headers, signal: stop.signal })
    expect(answer.status).toBe(200)
    await answer.body?.getReader().read()
    stop.abort()
    // The service sees the connection end a moment later.
    await until(async () => {
      const next = await fetch(`${reviewed.url()}${path.replace(`count=${conversations}`, 'count=1')}`, { headers })
      await next.arrayBuffer()
      return next.status === 200
    }, 10_000)
  }
})

test('the command line says the same of a stopped service’s data folder', { timeout: 120_000 }, async () => {
  await reviewed.service().stop()
  const env = { DUOLOGUE_DATA_DIR: reviewed.dataDir }
  const on = ['replay', '--on', toPath('draft-conversation')]
  const { exitCode, stdout } = await runCommand([...on, '--last', '2000', '--json'], env)
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({ totals: { done: conversations, differs: conversations / 2, unknown: 0 } })
  const expired = await runCommand([...on, '--status', 'EXPIRED'], env)
  expect(expired).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('0 conversations') })
})
