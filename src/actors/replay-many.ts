/** Many journals on a draft, one after the other, the last changed first. Reads whole pages, and the next one meanwhile. */
import type { JsonObject } from '../machines/json.ts'
import { replayOnDraft } from './replay-on-draft.ts'
import type { DraftPair, DraftReplay, JournalledEvent } from './replay-on-draft.ts'
import type { JournalFilter, JournalPage, ReviewStore, StoredJournal } from './review-store.ts'

export type ReplayedConversation = Omit<StoredJournal, 'events'> & { readonly replay: DraftReplay }

export type ReplayManyOptions = {
  readonly store: Pick<ReviewStore, 'listJournals'>
  /** The journal of a conversation that is too long for a page; null when it is too long altogether. */
  readonly readLong: (id: string) => Promise<readonly JournalledEvent[] | null>
  readonly pair: DraftPair
  readonly filter: JournalFilter
  readonly conversationsMax: number
}

/** So few that nobody else waits long for the processor, and that a page is some hundred kilobytes. */
const pageSize = 40

export async function* replayMany(options: ReplayManyOptions): AsyncGenerator<ReplayedConversation> {
  const { store, filter, conversationsMax } = options
  const read = async (after: JsonObject | null, left: number): Promise<JournalPage> =>
    store.listJournals(filter, after, Math.min(pageSize, left))
  let left = conversationsMax
  let coming: Promise<JournalPage> | null = left > 0 ? read(null, left) : null
  while (coming !== null) {
    const page: JournalPage = await coming
    left -= page.items.length
    coming = page.next === null || left <= 0 ? null : read(page.next, left)
    // Whoever stops listening leaves it behind.
    coming?.catch(() => {})
    for (const item of page.items) yield await replayStored(item, page.now, options)
  }
}

export async function replayStored(
  { events, ...item }: StoredJournal,
  now: number,
  { readLong, pair }: Pick<ReplayManyOptions, 'readLong' | 'pair'>,
): Promise<ReplayedConversation> {
  const journal = events ?? (await readLong(item.id))
  const replay: DraftReplay =
    journal === null ? { kind: 'unknown', reason: 'its journal is too long' } : replayOnDraft(pair, journal, now)
  return { ...item, replay }
}
