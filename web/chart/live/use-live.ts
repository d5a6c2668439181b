/** Live counts as the service tells them, while somebody wants to see them. */
import { useEffect, useState } from 'preact/hooks'
import type { LiveAnswer } from '../../../src/charts/live/live-answer.ts'
import type { Window } from '../address.ts'
import { toQuery } from '../api.ts'

export type Live = {
  readonly answer: LiveAnswer | null
  /** Why the numbers may be old; null while they are not. */
  readonly problem: string | null
}

const nothing: Live = { answer: null, problem: null }

/** `ref` null: nothing is asked. */
export function useLive(ref: string | null, base: string | null, window: Window): Live {
  const [live, setLive] = useState(nothing)
  useEffect(() => {
    setLive(nothing)
    if (ref === null) return undefined
    const source = new EventSource(`/api/charts/${encodeURIComponent(ref)}/live/stream${toQuery({ base, window })}`)
    const fail = (problem: string): void => setLive(({ answer }) => ({ answer, problem }))
    source.addEventListener('live', ({ data }: MessageEvent<string>) =>
      setLive({ answer: JSON.parse(data) as LiveAnswer, problem: null }),
    )
    source.addEventListener('heartbeat', () => setLive(({ answer }) => ({ answer, problem: null })))
    source.addEventListener('silence', () => fail('the database does not answer: the numbers are the last ones'))
    source.addEventListener('error', () =>
      fail('the service does not tell live numbers: those that are shown are the last ones'),
    )
    return () => source.close()
  }, [ref, base, window])
  return live
}
