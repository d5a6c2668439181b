/**
 * Who stands where, on the page of a running service whose conversations came through its webhook, with PostgreSQL
 * beside it: what the page says, what it lists, what the API says and what the rows say is one number.
 */
import { readFileSync } from 'node:fs'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import type { LiveAnswer } from '../../src/charts/live/live-answer.ts'
import type { Timeline } from '../../src/charts/live/timeline.ts'
import type { MigrationMap } from '../../src/machines/migration-map.ts'
import { runAxe } from '../support/axe.ts'
import { createTabTo } from '../support/tab-to.ts'
import { startBrowser } from '../support/browser.ts'
import { renamedTo } from '../support/machines/draft-conversation-renamed.ts'
import { draftVersion, ownVersion } from '../support/machines/draft-conversation.ts'
import { createProduction } from '../support/production.ts'
import type { Production } from '../support/production.ts'
import { apiToken, until } from '../support/service.ts'
import type { ServiceProcess } from '../support/service.ts'
import { toPath } from './reviewed-service.ts'

const wide = { width: 1440, height: 900 }
const narrow = { width: 390, height: 844 }
const tabTo = createTabTo(200)
const users = 24
const own = `conversation@${ownVersion}`
const draftRef = `conversation@${draftVersion}+draft`
const compared = `m=${encodeURIComponent(draftRef)}&base=${own}`
const waitingId = 'conversation.PROGRESS.waiting'
const progressId = 'conversation.PROGRESS'

let browser: Browser
let production: Production
let service: ServiceProcess
let signedIn: Awaited<ReturnType<typeof readSession>>
let newcomers = 0

beforeAll(async () => {
  production = await createProduction()
  service = await start('draft-conversation-renamed')
  await converse()
  browser = await startBrowser()
  signedIn = await readSession()
}, 180_000)
afterAll(async () => {
  await browser?.close()
  await production?.remove()
})

async function start(draft: string): Promise<ServiceProcess> {
  return production.start({ DUOLOGUE_DRAFT: toPath(draft) })
}

/** Half of them come to a person, the others wait for more. */
async function converse(): Promise<void> {
  const people = Array.from({ length: users }, (_, place) => `whatsapp:+1500555${String(2_000 + place)}`)
  await Promise.all(people.map(async (user) => production.fake.say(user, 'hello')))
  await untilRows(progressId, users)
  await Promise.all(
    people
      .filter((_, place) => place % 2 === 0)
      .map(async (user) => production.fake.say(user, 'I want to talk to a person')),
  )
  await untilRows('conversation.HUMAN_HANDOFF', users / 2)
  await untilRows(waitingId, users / 2)
}

/** What the rows say, counted without anything of Duologue. */
async function countRows(stateId: string): Promise<number> {
  const [outer = '', inner] = stateId.split('.').slice(1)
  const [row] = await production.sql(
    `select count(*)::int as count from duologue.conversations
    where case when $2::text is null then snapshot -> 'value' ? $1 or snapshot ->> 'value' = $1
      else snapshot -> 'value' ->> $1 = $2 end`,
    [outer, inner ?? null],
  )
  return Number(row?.['count'])
}

async function untilRows(stateId: string, expected: number): Promise<void> {
  let last = 0
  await until(
    async () => (last = await countRows(stateId)) === expected,
    60_000,
    () => `${last} of ${expected} stand in ${stateId}`,
  )
}

async function readSession() {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.goto(/charts\s+(?<link>http\S+)/u.exec(service.output())?.groups?.['link'] ?? '')
  const state = await context.storageState()
  await context.close()
  return state
}

async function readLive(ref: string, fields: string): Promise<LiveAnswer> {
  return service.json<LiveAnswer>(`/api/charts/${encodeURIComponent(ref)}/live?${fields}`)
}

test(
  'what the page says, what it lists, the API and the rows are one number; nobody is said too',
  { timeout: 120_000 },
  async () => {
    const rows = await countRows(progressId)
    const ids: string[] = []
    let answer = await readLive(own, `state=${progressId}&limit=5`)
    const { list } = answer
    for (let at = list; at !== null;) {
      ids.push(...at.items.map(({ id }) => id))
      if (at.next === null) break
      answer = await readLive(own, `state=${progressId}&limit=5&cursor=${encodeURIComponent(at.next)}`)
      at = answer.list
    }
    expect([list?.total, answer.states[progressId]?.count, new Set(ids).size]).toEqual([rows, rows, rows])
    expect(Object.values(answer.transitions).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(users)

    const page = await open({ viewport: wide }, `m=${own}&tab=live&s=${progressId}`)
    const panel = page.getByRole('tabpanel')
    await panel.getByRole('heading', { name: `${rows} in PROGRESS` }).waitFor()
    expect(await panel.locator('.totals').innerText()).toContain(`${users} conversations`)
    expect(await badge(page, progressId)).toBe(String(rows))
    expect(await badge(page, 'conversation.EXPIRED')).toBe('0')
    expect(await page.locator('.legend .swatch').count()).toBeGreaterThan(1)
    expect(await panel.locator('.standing li').count()).toBe(Math.min(20, rows))

    // Nothing that came over the wire or stands on the page says who somebody is.
    const text = `${JSON.stringify(answer)} ${await page.content()}`
    const people = Array.from({ length: users }, (_, place) => `1500555${String(2_000 + place)}`)
    expect(people.filter((number) => text.includes(number))).toEqual([])
  },
)

test(
  'a message that comes through the webhook is on the page within a second, and no actor was asked',
  { timeout: 120_000 },
  async () => {
    const page = await open({ viewport: wide }, `m=${own}&tab=live`)
    await expect.poll(async () => badge(page, 'conversation.HUMAN_HANDOFF')).toBe(String(users / 2))
    const latenesses: number[] = []
    for (let round = 0; round < 3; round += 1) {
      newcomers += 1
      const before = await totalOnPage(page)
      await production.fake.say(`whatsapp:+1500556${String(1_000 + newcomers)}`, 'hello')
      const count = async (): Promise<number> =>
        Number((await production.sql('select count(*)::int as count from duologue.conversations'))[0]?.['count'])
      await until(async () => (await count()) > before, 10_000)
      const stored = performance.now()
      await until(async () => (await totalOnPage(page)) > before, 5_000)
      latenesses.push(performance.now() - stored)
    }
    process.stdout.write(`seen on the page after ${latenesses.map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`)
    expect(Math.max(...latenesses)).toBeLessThanOrEqual(1_000)
    await untilRows(waitingId, users / 2 + newcomers)

    // Looked at, nothing happens: the journal is as long as before, and every version is the same.
    const state = `select coalesce(sum(version), 0)::int as versions, (select count(*)::int from duologue.conversation_events) as events
    from duologue.conversations`
    const before = await production.sql(state)
    for (const window of ['24h', '7d', '1h']) {
      await page.getByRole('radio', { name: window }).check()
      await page.locator('.totals').waitFor()
    }
    await readLive(own, 'window=7d')
    expect(await production.sql(state)).toEqual(before)
  },
)

test(
  'a list that is answered more slowly than numbers change is shown nevertheless',
  { timeout: 120_000 },
  async () => {
    let isBusy = true
    let asked = 0
    let atOnce = 0
    let atOnceMost = 0
    const speaking = (async () => {
      while (isBusy) {
        newcomers += 1
        await production.fake.say(`whatsapp:+1500556${String(1_000 + newcomers)}`, 'hello')
      }
    })()
    const context = await browser.newContext({ viewport: wide, storageState: signedIn })
    onTestFinished(async () => context.close())
    const page = await context.newPage()
    await page.route('**/live?*', async (route) => {
      asked += 1
      atOnce += 1
      atOnceMost = Math.max(atOnceMost, atOnce)
      const answer = await route.fetch()
      await until(async () => (await totalOnPage(page)) > 0, 10_000)
      const shown = await totalOnPage(page)
      // Until the page has heard of another number.
      await until(async () => !isBusy || (await totalOnPage(page)) !== shown, 10_000)
      atOnce -= 1
      await route.fulfill({ response: answer })
    })
    await page.goto(`${service.url}/?m=${own}&tab=live`)
    await page.getByRole('heading', { name: /^\d+ in all states/u }).waitFor()
    await until(() => asked > 3, 20_000)
    isBusy = false
    await speaking
    expect(atOnceMost).toBe(1)
    const settled = `select count(*)::int as count from duologue.conversations where snapshot -> 'value' ->> 'PROGRESS' = 'waiting'`
    await until(
      async () => Number((await production.sql(settled))[0]?.['count']) === users / 2 + newcomers,
      30_000,
      () => 'not everybody was answered',
    )
    await page.unrouteAll({ behavior: 'wait' })
  },
)

test(
  'a change says whom it touches: the badge, its list and the API are one number',
  { timeout: 120_000 },
  async () => {
    const answer = await readLive(draftRef, `base=${own}`)
    const removed = answer.impact?.find(({ id }) => id === waitingId)
    const listed = await readLive(own, `state=${waitingId}&open=true&limit=200`)
    const rows = await countRows(waitingId)
    expect(removed).toMatchObject({ what: 'state', open: rows, byVersion: { [ownVersion]: rows } })
    expect([listed.list?.total, listed.list?.items.length]).toEqual([rows, rows])
    expect(Date.parse(removed?.oldestAt ?? '')).toBeLessThan(Date.now())

    const page = await open({ viewport: wide }, `${compared}&tab=live`)
    await expect.poll(async () => badge(page, waitingId)).toBe(`! ${rows} live here`)
    const impact = page.getByRole('region', { name: 'Live impact' })
    expect(await impact.getByRole('button', { name: 'PROGRESS.waiting' }).first().innerText()).toContain(`${rows} open`)
    // Each of them, transitions too, in the picture as in the answer.
    const shown = new Map((answer.impact ?? []).map((one) => [one.id, one.open]))
    expect([...shown.values()].filter((count) => count > 0).length).toBeGreaterThan(3)
    for (const [id, count] of shown) {
      const text = await badge(page, id)
      expect(text === null ? 0 : Number(/\d+/u.exec(text)?.[0]), id).toBe(count)
    }
    newcomers += 1
    await production.fake.say(`whatsapp:+1500556${String(1_000 + newcomers)}`, 'hello')
    await untilRows(waitingId, rows + 1)
    await expect.poll(async () => badge(page, waitingId), { timeout: 1_000 }).toBe(`! ${rows + 1} live here`)
  },
)

test(
  'one conversation ends where it is stored, is scrubbed by mouse and by arrow keys, and tells no words unasked',
  { timeout: 120_000 },
  async () => {
    const [row] = await production.sql(
      `select id::text, version::int, snapshot -> 'value' as value, array(select jsonb_object_keys(timers) order by 1) as timers
    from duologue.conversations where snapshot -> 'value' ? 'HUMAN_HANDOFF' order by id limit 1`,
    )
    const id = String(row?.['id'])
    const timeline = await service.json<Timeline>(`/api/conversations/${id}/timeline`)
    const last = timeline.steps.at(-1)
    expect(timeline).toMatchObject({ replay: { kind: 'same' }, status: 'HUMAN_HANDOFF', left: 0 })
    const versions = Array.from({ length: Number(row?.['version']) }, (_, place) => place + 1)
    expect(timeline.steps.map(({ version }) => version)).toEqual(versions)
    const inner = (row?.['value'] as { readonly HUMAN_HANDOFF: string } | undefined)?.HUMAN_HANDOFF
    expect(last?.to).toEqual([`conversation.HUMAN_HANDOFF.${inner}`])
    const timers = last?.timers.map((timer) => timer.id)
    expect(timers?.toSorted((one, other) => (one < other ? -1 : 1))).toEqual(row?.['timers'])
    expect(timeline.steps.some(({ actions }) => actions.some(({ name }) => name === 'sendMessage'))).toBe(true)
    expect(timeline.steps.some(({ changes }) => changes.length > 0)).toBe(true)
    const words = ['talk to a person', 'I can help with orders']
    expect(words.filter((text) => JSON.stringify(timeline).includes(text))).toEqual([])
    const told = await service.json<Timeline>(`/api/conversations/${id}/timeline?words=true`)
    expect(words.filter((text) => JSON.stringify(told).includes(text))).toEqual(words)

    const page = await open({ viewport: wide }, `m=${own}&tab=live&s=conversation.HUMAN_HANDOFF`)
    await page.locator('.standing button', { hasText: id }).click()
    const slider = page.getByRole('slider', { name: 'Step' })
    await page.getByText('run again they end where it is stored: HUMAN_HANDOFF').waitFor()
    const token = async (): Promise<readonly string[]> =>
      page
        .locator('.chart [data-state].would')
        .evaluateAll((all) => all.map((one) => (one as SVGElement).dataset['state'] ?? ''))
    await expect.poll(token).toEqual(last?.to)
    await slider.focus()
    for (const step of timeline.steps.toReversed().slice(1, 4)) {
      await page.keyboard.press('ArrowLeft')
      await page.locator(`[data-step="${step.version}"]`).waitFor()
      await expect.poll(token).toEqual(step.to)
    }
    const box = await slider.boundingBox()
    if (box === null) throw new Error('there is no slider')
    await page.mouse.click(box.x + 2, box.y + box.height / 2)
    await page.locator('[data-step="1"]').waitFor()
    await expect.poll(token).toEqual(timeline.steps[0]?.to)
    // A link leads to the same moment.
    await page.reload()
    await page.locator('[data-step="1"]').waitFor()
    await page.getByLabel('From').fill('3')
    // Numbers that come meanwhile take away nothing of what is typed.
    newcomers += 1
    await production.fake.say(`whatsapp:+1500556${String(1_000 + newcomers)}`, 'hello')
    await untilRows(waitingId, users / 2 + newcomers)
    await page.keyboard.press('Enter')
    await page.locator('[data-step="3"]').waitFor()
    expect(await slider.getAttribute('min')).toBe('2')
    expect((await page.content()).includes('I can help with orders')).toBe(false)
    await page.getByLabel('Show what was written').check()
    const answered = timeline.steps.find(({ actions }) => actions.some(({ name }) => name === 'sendMessage'))
    await slider.fill(String((answered?.version ?? 1) - 1))
    await page.locator(`[data-step="${answered?.version ?? 0}"]`, { hasText: 'I can help with orders' }).waitFor()
    // Played, it goes on by itself; a step of the list leads to it.
    await page.getByLabel('From').fill('1')
    await page.locator('.steps button').first().click()
    await page.locator('[data-step="1"]').waitFor()
    await page.getByRole('button', { name: 'Play' }).click()
    await page.locator('[data-step="3"]').waitFor()
    await page.getByRole('button', { name: 'Stop' }).click()
    expect(await page.locator('.steps button[aria-current="step"]').count()).toBe(1)
    await page.getByRole('button', { name: 'Back to all' }).click()
    await page.locator('.totals').waitFor()
  },
)

test(
  'steps of an older version are shown on its own chart, though its code is gone from this build',
  { timeout: 120_000 },
  async () => {
    const [row] = await production.sql(
      `select id::text from duologue.conversations where snapshot -> 'value' ? 'HUMAN_HANDOFF' order by id desc limit 1`,
    )
    // As if a build before this one had opened it.
    await production.sql('alter table duologue.conversation_events disable trigger user')
    await production.sql(
      `update duologue.conversation_events set machine_version = '2' where conversation_id = $1 and version <= 2`,
      [row?.['id']],
    )
    await production.sql('alter table duologue.conversation_events enable trigger user')
    const page = await open({ viewport: wide }, `m=${own}&tab=live&c=${String(row?.['id'])}`)
    await page.getByText('from step 1 on it cannot be made again: this build has no chart of version 2').waitFor()
    const title = page.locator('.chart .heading')
    const token = page.locator('.chart [data-state].would')
    await page.locator('.chart [data-state="conversation.HUMAN_HANDOFF"].would').waitFor()
    expect(await title.textContent()).toContain(ownVersion)
    await page.getByRole('slider', { name: 'Step' }).focus()
    await page.keyboard.press('Home')
    await expect.poll(async () => title.textContent()).toContain('2')
    await expect.poll(async () => token.getAttribute('data-state')).toBe('conversation.PENDING')
    await page.getByText('Only the journal tells of this step').waitFor()
    await page.keyboard.press('End')
    await expect.poll(async () => title.textContent()).toContain(ownVersion)
  },
)

test(
  'by mouse: who would be stuck is mapped, all of the sample goes on, the file is saved',
  { timeout: 120_000 },
  async () => {
    const page = await open({ viewport: wide }, `${compared}&tab=review`)
    const rows = await countRows(waitingId)
    const editor = page.getByRole('region', { name: 'Migration map' })
    await editor.getByText('1 without an answer').waitFor()
    await editor.getByLabel('PROGRESS.waiting goes on as').selectOption('PROGRESS.listening')
    await editor.getByText('Everybody would go on').waitFor()
    const tried = /(?<restored>\d+) of (?<tried>\d+) that were tried out went on/u.exec(
      await editor.innerText(),
    )?.groups
    expect(Number(tried?.['tried'])).toBeGreaterThan(0)
    expect(tried?.['restored']).toBe(tried?.['tried'])
    const standing = page.getByRole('region', { name: 'Stored conversations' })
    await standing.getByText(`${rows} by the migration map`).waitFor()
    newcomers += 1
    await production.fake.say(`whatsapp:+1500556${String(1_000 + newcomers)}`, 'hello')
    await untilRows(waitingId, rows + 1)
    await standing.getByRole('button', { name: 'Check again' }).click()
    await standing.getByText(`${rows + 1} by the migration map`).waitFor()
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      editor.getByRole('link', { name: `Save as migrations/conversation@${ownVersion}-${draftVersion}.json` }).click(),
    ])
    const file = JSON.parse(readFileSync(await download.path(), 'utf8')) as MigrationMap
    expect(file).toMatchObject({
      from: ownVersion,
      to: draftVersion,
      states: { 'PROGRESS.waiting': 'PROGRESS.listening' },
    })
    expect(renamedTo.endsWith('PROGRESS.listening')).toBe(true)
    // What was tried is not what is kept.
    const kept = await service.json<{ verdict: string }>(`/api/charts/${encodeURIComponent(draftRef)}/in-flight`)
    expect(kept.verdict).toBe('blocked')
  },
)

test('by keyboard: the same map; an answer that is taken back blocks again', { timeout: 120_000 }, async () => {
  const page = await open({ viewport: wide }, `${compared}&tab=review`)
  const editor = page.getByRole('region', { name: 'Migration map' })
  const select = editor.getByLabel('PROGRESS.waiting goes on as')
  await select.waitFor()
  await tabTo(page, async () => select.evaluate((element) => element === document.activeElement))
  await page.keyboard.type('PROGRESS.lis')
  await editor.getByText('Everybody would go on').waitFor()
  await page.keyboard.press('Home')
  await editor.getByText('1 without an answer').waitFor()
})

test(
  'on the picture by mouse: a click on the new state answers for the old one, and an arrow shows it',
  { timeout: 120_000 },
  async () => {
    const page = await open({ viewport: wide }, `${compared}&tab=review`)
    const editor = page.getByRole('region', { name: 'Migration map' })
    const pick = editor.getByRole('button', { name: 'Pick it on the picture' })
    const banner = page.getByRole('status').filter({ hasText: 'Where does PROGRESS.waiting go on?' })
    await pick.click()
    await banner.waitFor()
    // What is gone cannot be chosen, nor what holds others.
    await stateOf(page, waitingId).click()
    await stateOf(page, progressId)
      .locator('.frame')
      .click({ position: { x: 6, y: 60 } })
    await banner.waitFor()
    await banner.getByRole('button', { name: 'Cancel' }).click()
    await banner.waitFor({ state: 'detached' })
    expect(await page.locator('.map-head').count()).toBe(0)

    await pick.click()
    let turn = 0
    const follow = async (): Promise<string | null> => {
      await page.mouse.move(300, 400 + ((turn += 10) % 100))
      return page.locator('.map-way').getAttribute('d')
    }
    await expect.poll(follow).toMatch(/^M/u)
    await stateOf(page, renamedTo).click()
    await editor.getByText('Everybody would go on').waitFor()
    expect(await editor.getByLabel('PROGRESS.waiting goes on as').inputValue()).toBe('PROGRESS.listening')
    // What that answer takes care of is not asked.
    expect(await editor.locator('.map > li').count()).toBe(1)
    await page.locator('.map-head').waitFor()
    expect(await page.locator('.map-head').count()).toBe(1)
    // Another tab has another picture.
    await page.getByRole('tab', { name: 'Changes' }).click()
    await page.locator('.map-head').waitFor({ state: 'detached' })
  },
)

test(
  'on the picture by keyboard: arrow keys go through the states that may be chosen, Escape leaves all as it was',
  { timeout: 120_000 },
  async () => {
    const page = await open({ viewport: wide }, `${compared}&tab=review&view=table`)
    const editor = page.getByRole('region', { name: 'Migration map' })
    const pick = editor.getByRole('button', { name: 'Pick it on the picture' })
    const isFocused = async (id: string): Promise<boolean> =>
      stateOf(page, id).evaluate((element) => element === document.activeElement)
    await pick.waitFor()
    await tabTo(page, async () => pick.evaluate((element) => element === document.activeElement))
    await page.keyboard.press('Enter')
    await expect.poll(async () => isFocused(waitingId)).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(async () => pick.evaluate((element) => element === document.activeElement)).toBe(true)
    await editor.getByText('1 without an answer').waitFor()

    await page.keyboard.press('Enter')
    await expect.poll(async () => isFocused(waitingId)).toBe(true)
    const statesMax = 30
    for (let press = 0; press < statesMax && !(await isFocused(renamedTo)); press += 1) {
      await page.keyboard.press('ArrowDown')
    }
    await page.keyboard.press('Enter')
    await editor.getByText('Everybody would go on').waitFor()
    expect(await pick.evaluate((element) => element === document.activeElement)).toBe(true)
  },
)

test('from the check to those whom it would wedge, and on to one of them', { timeout: 120_000 }, async () => {
  const rows = await countRows(waitingId)
  const page = await open({ viewport: wide }, `${compared}&tab=review`)
  const panel = page.getByRole('tabpanel')
  await panel.getByRole('button', { name: 'List who stands in PROGRESS.waiting' }).click()
  // The proposed chart does not have the state: the older one is asked.
  await panel.getByRole('heading', { name: `${rows} in PROGRESS.waiting` }).waitFor()
  await panel.locator('.standing button').first().click()
  await page.locator('[data-step]').waitFor()
  expect(await page.locator('.chart [data-state].would').first().getAttribute('data-state')).toBe(waitingId)
  await page.goBack()
  await panel.getByRole('heading', { name: `${rows} in PROGRESS.waiting` }).waitFor()
})

test('a map that is none, or leads elsewhere, is refused with a sentence', async () => {
  const post = async (body: unknown): Promise<Response> =>
    fetch(`${service.url}/api/charts/${encodeURIComponent(draftRef)}/in-flight`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  expect((await post({})).status).toBe(400)
  const elsewhere = { schema: 'duologue.migration/1', machine: 'conversation', from: '1', to: '99' }
  expect((await post(elsewhere)).status).toBe(400)
  expect((await fetch(`${service.url}/api/charts/${own}/live`)).status).toBe(401)
})

test.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)('axe finds nothing in live numbers that are %s', { timeout: 120_000 }, async (_name, options) => {
  const [row] = await production.sql('select id::text from duologue.conversations order by id limit 1')
  for (const more of [
    `m=${own}&tab=live&c=${String(row?.['id'])}`,
    `m=${own}&tab=live&s=${progressId}`,
    `m=${own}&overlay=live&view=table`,
    `${compared}&tab=live`,
    `${compared}&tab=review`,
  ]) {
    const page = await open(options, more)
    if (more.includes('review')) await page.getByRole('region', { name: 'Migration map' }).waitFor()
    else await page.locator('.legend').waitFor()
    if (more.includes('&c=')) await page.locator('[data-step]').waitFor()
    else if (more.includes('tab=live')) await page.locator('[data-stuck]').first().waitFor()
    expect(await runAxe(page), more).toEqual([])
    expect(await page.evaluate('document.documentElement.scrollWidth - window.innerWidth')).toBeLessThanOrEqual(0)
    // Nothing of the tabs is cut off where there is room for them.
    const cut = await page.locator('.tabs').evaluate((tabs) => tabs.scrollWidth - tabs.clientWidth)
    expect(options.viewport === wide ? cut : 0, more).toBeLessThanOrEqual(0)
  }
})

test.each([
  ['wide and light', { viewport: wide, colorScheme: 'light' }],
  ['wide and dark', { viewport: wide, colorScheme: 'dark' }],
  ['narrow and light', { viewport: narrow, colorScheme: 'light' }],
  ['narrow and dark', { viewport: narrow, colorScheme: 'dark' }],
] as const)(
  'axe finds nothing while a state is picked, %s, nor in what shows it',
  { timeout: 120_000 },
  async (_name, options) => {
    const page = await open(options, `${compared}&tab=review`)
    await page.getByRole('button', { name: 'Pick it on the picture' }).click()
    await page.locator('.picking').waitFor()
    expect(await runAxe(page)).toEqual([])
    await stateOf(page, renamedTo).click()
    await page.locator('.map-head').waitFor()
    expect(await runAxe(page)).toEqual([])
  },
)

test('a page that watches does not hold up a stop', { timeout: 60_000 }, async () => {
  const page = await open({ viewport: wide }, `m=${own}&tab=live`)
  await page.locator('.totals').waitFor()
  const began = performance.now()
  expect(await service.stop()).toBe(0)
  expect(performance.now() - began).toBeLessThan(10_000)
  await page
    .getByRole('alert')
    .getByText(/Not live: the service does not answer; the numbers are those of \d\d:\d\d:\d\d/u)
    .waitFor()
})

async function totalOnPage(page: Page): Promise<number> {
  return Number(/^\d+/u.exec(await page.locator('.totals').innerText())?.[0])
}

async function badge(page: Page, id: string): Promise<string | null> {
  const badges = page.locator(`.chart .badge[data-badge="${id}"]`)
  return (await badges.count()) === 0 ? null : badges.first().textContent()
}

function stateOf(page: Page, id: string): ReturnType<Page['locator']> {
  return page.locator(`.chart [data-state="${id}"]`)
}

async function open(options: BrowserContextOptions, wanted: string): Promise<Page> {
  const context = await browser.newContext({ ...options, storageState: signedIn })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource|ERR_/u.test(message.text()))
      complaints.push(message.text())
  })
  onTestFinished(async () => {
    await context.close()
    expect(complaints).toEqual([])
  })
  await page.goto(`${service.url}/?${wanted}`)
  await page
    .locator(wanted.includes('view=table') ? 'tr[data-row]' : '.chart [data-state]')
    .first()
    .waitFor()
  return page
}
