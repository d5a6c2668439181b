/** What the provider accepted for each user, read on from where the last look ended. */
import { setTimeout } from 'node:timers/promises'

type Sent = {
  readonly sid: string
  readonly body: string
  readonly mediaUrls: readonly string[]
  readonly callback: string | null
}

type LedgerItem = Omit<Sent, 'callback'> & {
  readonly direction: string
  readonly to: string
  readonly statusCallback: string | null
}

const lookEveryMs = 50

export function createSentReader(fakeUrl: string, patienceMs: number) {
  const byUser = new Map<string, Sent[]>()
  let known = 0
  let looking: Promise<void> | null = null

  async function look(): Promise<void> {
    const { items } = (await (await fetch(`${fakeUrl}/fake/messages?after=${known}`)).json()) as { items: LedgerItem[] }
    known += items.length
    for (const { direction, to, sid, body, mediaUrls, statusCallback } of items) {
      if (direction !== 'outbound-api') continue
      const user = to.startsWith('+') ? `sms:${to}` : to
      byUser.set(user, [...(byUser.get(user) ?? []), { sid, body, mediaUrls, callback: statusCallback }])
    }
  }

  return {
    of: (user: string): readonly Sent[] => byUser.get(user) ?? [],
    /** Fewer when they have not come in time. */
    async atLeast(user: string, count: number) {
      const until = performance.now() + patienceMs
      while ((byUser.get(user)?.length ?? 0) < count && performance.now() < until) {
        looking ??= look().finally(() => {
          looking = null
        })
        await looking
        if ((byUser.get(user)?.length ?? 0) < count) await setTimeout(lookEveryMs)
      }
      return (byUser.get(user) ?? []).map(({ body, mediaUrls }) => ({ body, mediaUrls }))
    },
    /** Everything by now, of everybody. */
    async all(): Promise<ReadonlyMap<string, readonly Sent[]>> {
      await look()
      return byUser
    },
  }
}
