/**
 * An answer that is kept fresh: asked again when `moment` changes, one question at a time. However fast moments follow on
 * each other, the service is not asked twice at once, and an answer that took long is still shown.
 */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Asked } from './use-asked.ts'

/** `key` names the question; `restMs` lies between an answer and the next question. */
export function useFresh<Answer>(
  key: string,
  moment: string | undefined,
  ask: () => Promise<Answer>,
  restMs = 0,
): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer>>({ answer: null, problem: null, isWaiting: true })
  const newest = useRef({ moment, ask })
  newest.current = { moment, ask }
  const wake = useRef<(() => void) | null>(null)
  useEffect(() => {
    let isOvertaken = false
    let timer = 0
    const look = async (): Promise<void> => {
      wake.current = null
      const { moment: asOf, ask: question } = newest.current
      const next = await question().then(
        (answer): Partial<Asked<Answer>> => ({ answer, problem: null }),
        (error: Error): Partial<Asked<Answer>> => ({ problem: error.message }),
      )
      if (isOvertaken) return
      setAsked((before) => ({ ...before, ...next, isWaiting: false }))
      const rest = (): void => {
        if (newest.current.moment === asOf) wake.current = () => void look()
        else void look()
      }
      timer = window.setTimeout(rest, restMs)
    }
    setAsked((before) => ({ ...before, isWaiting: true }))
    void look()
    return () => {
      isOvertaken = true
      clearTimeout(timer)
      wake.current = null
    }
  }, [key])
  useEffect(() => wake.current?.(), [moment])
  return asked
}
