/** A conversation's steps. Its journal is run again only when it has taken another one. */
import type { Timeline } from '../../../src/charts/live/timeline.ts'
import { Refused, refuse, toQuery } from '../api.ts'

/** Each call reads anew, and answers the very same timeline while nothing has changed. */
export function createTimelineReader(id: string, hasWords: boolean): () => Promise<Timeline> {
  const path = `/api/conversations/${id}/timeline${toQuery({ words: hasWords ? 'true' : null })}`
  let kept: { readonly tag: string; readonly timeline: Timeline } | null = null
  return async () => {
    const headers = kept === null ? {} : { 'if-none-match': kept.tag }
    const answer = await fetch(path, { headers, cache: 'no-store' }).catch(() => null)
    if (answer === null) throw new Refused('the service does not answer')
    if (answer.status === 304 && kept !== null) return kept.timeline
    if (!answer.ok) return refuse(answer)
    kept = { tag: answer.headers.get('etag') ?? '', timeline: (await answer.json()) as Timeline }
    return kept.timeline
  }
}
