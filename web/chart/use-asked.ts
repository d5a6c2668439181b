/** What the service answered last to a question; an answer that was overtaken by another question is dropped. */
import { useEffect, useState } from 'preact/hooks'

export type Asked<Answer> = {
  readonly answer: Answer | null
  readonly problem: string | null
  readonly isWaiting: boolean
}

/** `key` names the question; null asks nothing. */
export function useAsked<Answer>(key: string | null, ask: () => Promise<Answer>): Asked<Answer> {
  const [asked, setAsked] = useState<Asked<Answer>>({ answer: null, problem: null, isWaiting: key !== null })
  useEffect(() => {
    if (key === null) {
      setAsked({ answer: null, problem: null, isWaiting: false })
      return undefined
    }
    let isOvertaken = false
    setAsked((before) => ({ ...before, isWaiting: true }))
    ask().then(
      (answer) => isOvertaken || setAsked({ answer, problem: null, isWaiting: false }),
      (error: Error) => isOvertaken || setAsked((before) => ({ ...before, problem: error.message, isWaiting: false })),
    )
    return () => {
      isOvertaken = true
    }
  }, [key])
  return asked
}
