/**
 * Live counts as the service tells them, while somebody wants to see them. What cannot be heard any more is said, with
 * the moment of the last word, and is asked for again until it can be.
 */
import { useEffect, useState } from 'preact/hooks'
import type { LiveAnswer } from '../../../src/charts/live/live-answer.ts'
import type { Window } from '../address.ts'
import { ask, toQuery } from '../api.ts'

export type Live = {
  readonly answer: LiveAnswer | null
  /** Why the numbers may be old; null while they are not. */
  readonly problem: string | null
  /** Until when the numbers were surely right, by this clock; 0: never. */
  readonly heardAt: number
}

const nothing: Live = { answer: null, problem: null, heardAt: 0 }
const againMs = 2_000
/** It says at least every 15 seconds that nothing has changed. */
const silenceMs = 20_000

/** `ref` null: nothing is asked. */
export function useLive(ref: string | null, base: string | null, window: Window): Live {
  const [live, setLive] = useState(nothing)
  useEffect(() => {
    setLive(nothing)
    if (ref === null) return undefined
    const path = `/api/charts/${encodeURIComponent(ref)}/live`
    return listen(`${path}/stream${toQuery({ base, window })}`, setLive)
  }, [ref, base, window])
  return live
}

type Tell = (change: (before: Live) => Live) => void

function listen(path: string, tell: Tell): () => void {
  let source: EventSource | null = null
  let timer = 0
  const hear = (more: Partial<Live>): void => {
    clearTimeout(timer)
    timer = window.setTimeout(() => lose('the service has said nothing for a while'), silenceMs)
    tell((before) => ({ ...before, ...more }))
  }
  const lose = (problem: string): void => {
    source?.close()
    clearTimeout(timer)
    timer = window.setTimeout(open, againMs)
    tell((before) => ({ ...before, problem }))
  }
  const open = (): void => {
    const own = new EventSource(path)
    source = own
    own.addEventListener('live', ({ data }: MessageEvent<string>) =>
      hear({ answer: JSON.parse(data) as LiveAnswer, problem: null, heardAt: Date.now() }),
    )
    own.addEventListener('heartbeat', () => hear({ problem: null, heardAt: Date.now() }))
    own.addEventListener('silence', () => hear({ problem: 'the database does not answer' }))
    own.addEventListener('error', () => {
      own.close()
      // It does not say why; another question does.
      void ask('/api/charts').then(
        () => source === own && lose('the service does not tell live numbers'),
        ({ message }: Error) => source === own && lose(message),
      )
    })
  }
  open()
  return () => {
    source?.close()
    source = null
    clearTimeout(timer)
  }
}
