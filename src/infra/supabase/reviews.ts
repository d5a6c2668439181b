/** Comments, verdicts and whole journals, behind supabase-js. */
import type { SupabaseClient } from '@supabase/supabase-js'

import type { JournalledEvent } from '../../actors/replay-on-draft.ts'
import type { ReviewStore, StoredJournal, StoredThread, StoredVerdict } from '../../actors/review-store.ts'
import type { Json, JsonObject } from '../../machines/json.ts'
import { createCall } from './call.ts'
import { fromIso } from './rows.ts'

type EventRow = Omit<JournalledEvent, 'occurredAt'> & { readonly occurredAt: string }
type JournalRow = Omit<StoredJournal, 'events'> & { readonly events: readonly EventRow[] | null }
type JournalAnswer = {
  readonly items: readonly JournalRow[]
  readonly next: JsonObject | null
  readonly now: string
}

export function createReviewStore(client: SupabaseClient): ReviewStore {
  const call = createCall(client)
  return {
    async listJournals({ machine, status, address, changedAfter }, after, limit) {
      const filter = { machine, status, address, changed_after: changedAfter }
      const answer = (await call('list_journals', { ...filter, after, limit })) as JournalAnswer
      return { items: answer.items.map(toJournal), next: answer.next, now: fromIso(answer.now) }
    },
    async addComment({ commentId, threadId, machine, author, body, opens }) {
      const { threadId: written } = (await call('add_review_comment', {
        comment_id: commentId,
        thread_id: threadId,
        machine,
        author,
        body,
        ...(opens !== null && { about: opens.about, chart_hash: opens.chartHash, chart: opens.chart }),
      })) as { readonly threadId: string | null }
      return written !== null
    },
    async settleThread({ threadId, machine, isResolved, author }) {
      const request = { thread_id: threadId, machine, is_resolved: isResolved, author }
      return ((await call('settle_review_thread', request)) as { readonly settled: boolean }).settled
    },
    async listThreads(machine) {
      const { items, charts } = (await call('list_review_threads', { machine })) as {
        readonly items: readonly StoredThread[]
        readonly charts: { readonly [hash: string]: Json }
      }
      return { items: items.map(toThread), charts }
    },
    async giveVerdict(reviewId, { id, base, head, verdict, author, note }) {
      const request = { id, review_id: reviewId, base, head, verdict, author, note }
      return { at: toUtc(((await call('give_review_verdict', request)) as { readonly at: string }).at) }
    },
    async listVerdicts(reviewId) {
      const { items } = (await call('list_review_verdicts', { review_id: reviewId })) as {
        readonly items: readonly StoredVerdict[]
      }
      return items.map((item) => ({ ...item, at: toUtc(item.at) }))
    },
  }
}

function toJournal({ events, openedAt, updatedAt, ...same }: JournalRow): StoredJournal {
  return {
    ...same,
    openedAt: toUtc(openedAt),
    updatedAt: toUtc(updatedAt),
    events: events?.map((event) => ({ ...event, occurredAt: fromIso(event.occurredAt) })) ?? null,
  }
}

function toThread({ openedAt, resolvedAt, comments, ...same }: StoredThread): StoredThread {
  return {
    ...same,
    openedAt: toUtc(openedAt),
    resolvedAt: resolvedAt === null ? null : toUtc(resolvedAt),
    comments: comments.map((comment) => ({ ...comment, at: toUtc(comment.at) })),
  }
}

function toUtc(time: string): string {
  return new Date(time).toISOString()
}
