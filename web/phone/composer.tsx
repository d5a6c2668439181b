/** Where one writes. Enter sends, Shift and Enter begin a new line; what could not be sent comes back. */
import { useRef, useState } from 'preact/hooks'
import { sendMessage, type Pair } from './api.ts'

const charactersMax = 1_600

export function Composer({ pair }: { readonly pair: Pair }) {
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const field = useRef<HTMLTextAreaElement>(null)
  const isEmpty = text.trim() === ''

  const send = async (): Promise<void> => {
    if (isEmpty) return
    setText('')
    setProblem(null)
    field.current?.focus()
    try {
      await sendMessage(pair, text)
    } catch (error) {
      setText((typed) => (typed === '' ? text : typed))
      setProblem(error instanceof Error ? error.message : 'the service does not answer')
    }
  }
  const sendOnEnter = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    void send()
  }
  return (
    <form class="composer" onSubmit={(event) => (event.preventDefault(), void send())}>
      {problem !== null && (
        <p class="problem" role="alert">
          Not sent: {problem}.
        </p>
      )}
      <div class="composer-row">
        <textarea
          ref={field}
          rows={1}
          autofocus
          value={text}
          maxLength={charactersMax}
          placeholder="Message"
          aria-label="Message"
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={sendOnEnter}
        />
        <button type="submit" class="primary" disabled={isEmpty} aria-label="Send">
          <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
            <path
              d="M3.5 10 2.6 3.6a.7.7 0 0 1 1-.7l13.5 6.4a.8.8 0 0 1 0 1.4L3.6 17.1a.7.7 0 0 1-1-.7zm0 0h7"
              fill="none"
              stroke="currentColor"
              stroke-width="1.5"
              stroke-linecap="round"
              stroke-linejoin="round"
            />
          </svg>
        </button>
      </div>
    </form>
  )
}
