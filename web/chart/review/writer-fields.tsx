/** Who writes, and the token that allows it. Both stay in this tab until it is closed. */
import { useState } from 'preact/hooks'
import { keepWriter, readWriter, type Writer } from './review-api.ts'

export function useWriter(): readonly [Writer, (change: Partial<Writer>) => void] {
  const [writer, setWriter] = useState(readWriter)
  const change = (fields: Partial<Writer>): void => {
    const next = { ...readWriter(), ...fields }
    keepWriter(next)
    setWriter(next)
  }
  return [writer, change]
}

type Props = { readonly of: string; readonly writer: Writer; readonly onChange: (change: Partial<Writer>) => void }

export function WriterFields({ of, writer, onChange }: Props) {
  return (
    <>
      <label class="line" for={`${of}-name`}>
        Your name
        <input
          id={`${of}-name`}
          autocomplete="name"
          maxLength={80}
          value={writer.name}
          onInput={(event) => onChange({ name: event.currentTarget.value })}
        />
      </label>
      <label class="line" for={`${of}-token`}>
        Review token
        <input
          id={`${of}-token`}
          type="password"
          autocomplete="off"
          value={writer.token}
          onInput={(event) => onChange({ token: event.currentTarget.value })}
        />
      </label>
    </>
  )
}
