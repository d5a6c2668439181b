/** What the assistant costs: reserved before, settled after, never above the limit of the day. */
import { createClient } from '@supabase/supabase-js'
import { beforeEach, describe, expect, test } from 'vitest'
import { createAssistantUsage } from '../../../src/infra/supabase/assistant-usage.ts'
import type { AssistantUsage } from '../../../src/infra/supabase/assistant-usage.ts'
import { nextId } from './batches.ts'
import type { DatabaseInUse } from './use-database.ts'

export function describeAssistantUsage(database: () => DatabaseInUse): void {
  describe('the assistant’s spend', () => {
    let usage: AssistantUsage
    let tenantId: string

    beforeEach(() => {
      usage = createAssistantUsage(database().client)
      tenantId = database().deployment.tenantId
    })

    const readRows = async () =>
      database().sql(`
        select day = (now() at time zone 'UTC')::date as is_today, calls::int, input_tokens::int, output_tokens::int,
          spent_micros::int, reserved_micros::int
        from duologue.assistant_usage order by day`)

    test('is reserved, then settled with what it was', async () => {
      const reservation = await usage.reserve({ tenantId, micros: 900, maxMicros: 1_000 })
      expect(reservation).toEqual({ tenantId, micros: 900, day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/u) })
      const row = { is_today: true, calls: 1, input_tokens: 0, output_tokens: 0, spent_micros: 0, reserved_micros: 900 }
      expect(await readRows()).toEqual([row])
      if (reservation === null) throw new Error('nothing was reserved')
      await usage.settle(reservation, { inputTokens: 40, outputTokens: 5, micros: 250 })
      const settled = { ...row, input_tokens: 40, output_tokens: 5, spent_micros: 250, reserved_micros: 0 }
      expect(await readRows()).toEqual([settled])
    })

    test('may reach the limit and not pass it, and what was refused is not counted', async () => {
      expect(await usage.reserve({ tenantId, micros: 600, maxMicros: 1_000 })).not.toBeNull()
      expect(await usage.reserve({ tenantId, micros: 401, maxMicros: 1_000 })).toBeNull()
      expect(await usage.reserve({ tenantId, micros: 400, maxMicros: 1_000 })).not.toBeNull()
      expect(await usage.reserve({ tenantId, micros: 0, maxMicros: 999 })).toBeNull()
      expect(await readRows()).toMatchObject([{ calls: 2, reserved_micros: 1_000, spent_micros: 0 }])
    })

    test('that was settled below its reservation leaves room again; above it, it counts whole', async () => {
      const first = await usage.reserve({ tenantId, micros: 1_000, maxMicros: 1_000 })
      if (first === null) throw new Error('nothing was reserved')
      await usage.settle(first, { inputTokens: 1, outputTokens: 1, micros: 10 })
      const second = await usage.reserve({ tenantId, micros: 990, maxMicros: 1_000 })
      if (second === null) throw new Error('nothing was reserved')
      await usage.settle(second, { inputTokens: 1, outputTokens: 1, micros: 5_000 })
      expect(await readRows()).toMatchObject([{ spent_micros: 5_010, reserved_micros: 0 }])
      expect(await usage.reserve({ tenantId, micros: 1, maxMicros: 5_010 })).toBeNull()
    })

    test('of fifty drafts at once on two nodes never passes the limit together', async () => {
      const { http, client } = database()
      const other = createAssistantUsage(http === null ? client : createClient(http.url, http.secretKey))
      const answers = await Promise.all(
        Array.from({ length: 50 }, async (_, index) =>
          (index % 2 === 0 ? usage : other).reserve({ tenantId, micros: 100, maxMicros: 1_050 }),
        ),
      )
      expect(answers.filter((answer) => answer !== null)).toHaveLength(10)
      expect(await readRows()).toMatchObject([{ calls: 10, reserved_micros: 1_000 }])
    })

    test('of drafts that settle while others reserve is counted to the last millionth', async () => {
      await Promise.all(
        Array.from({ length: 30 }, async (_, index) => {
          const reservation = await usage.reserve({ tenantId, micros: 1_000, maxMicros: 1_000_000 })
          if (reservation === null) throw new Error('nothing was reserved')
          await usage.settle(reservation, { inputTokens: index, outputTokens: 1, micros: index })
        }),
      )
      expect(await readRows()).toMatchObject([
        { calls: 30, input_tokens: 435, output_tokens: 30, spent_micros: 435, reserved_micros: 0 },
      ])
    })

    test('is settled in the day in which it was reserved, and yesterday’s does not count today', async () => {
      const { sql } = database()
      const reservation = await usage.reserve({ tenantId, micros: 1_000, maxMicros: 1_000 })
      if (reservation === null) throw new Error('nothing was reserved')
      const [row] = await sql(`update duologue.assistant_usage set day = day - 1 returning day::text as day`)
      expect(await usage.reserve({ tenantId, micros: 1_000, maxMicros: 1_000 })).not.toBeNull()
      const yesterday = { ...reservation, day: String(row?.['day']) }
      await usage.settle(yesterday, { inputTokens: 2, outputTokens: 3, micros: 7 })
      expect(await readRows()).toMatchObject([
        { is_today: false, spent_micros: 7, reserved_micros: 0 },
        { is_today: true, spent_micros: 0, reserved_micros: 1_000 },
      ])
    })

    test('is each tenant’s own', async () => {
      const { sql } = database()
      const another = nextId()
      await sql(`insert into duologue.tenants (id, name) values ($1, 'another')`, [another])
      expect(await usage.reserve({ tenantId, micros: 1_000, maxMicros: 1_000 })).not.toBeNull()
      expect(await usage.reserve({ tenantId: another, micros: 1_000, maxMicros: 1_000 })).not.toBeNull()
      expect(await usage.reserve({ tenantId: another, micros: 1, maxMicros: 1_000 })).toBeNull()
    })

    test('of a tenant that is not there, or below nothing, is refused and writes nothing', async () => {
      await expect(usage.reserve({ tenantId: nextId(), micros: 1, maxMicros: 1_000 })).rejects.toThrow(
        /reserve_assistant/u,
      )
      await expect(usage.reserve({ tenantId, micros: -1, maxMicros: 1_000 })).rejects.toThrow(/at least 0/u)
      expect(await readRows()).toEqual([])
    })
  })
}
