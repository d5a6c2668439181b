/** Who one writes as: the people of this browser, and a form for another one. */
import { useState } from 'preact/hooks'
import {
  inventNumber,
  toAddress,
  toChannel,
  toChannelName,
  toReadablePhone,
  type Channel,
  type People,
} from './people.ts'

export function PeopleList({
  people,
  onSelect,
}: {
  readonly people: People
  readonly onSelect: (address: string) => void
}) {
  return (
    <section class="people" aria-labelledby="people-title">
      <h2 id="people-title">Writing as</h2>
      <ul>
        {people.addresses.map((address) => (
          <li key={address}>
            <button
              type="button"
              class="person"
              aria-current={address === people.selected ? 'true' : undefined}
              onClick={() => onSelect(address)}
            >
              <span class="person-phone">{toReadablePhone(address)}</span>
              <span class="person-channel">{toChannelName(toChannel(address))}</span>
            </button>
          </li>
        ))}
      </ul>
      <NewPerson onAdd={onSelect} />
    </section>
  )
}

function NewPerson({ onAdd }: { readonly onAdd: (address: string) => void }) {
  const [channel, setChannel] = useState<Channel>('whatsapp')
  const [typed, setTyped] = useState('')
  const [isRefused, setIsRefused] = useState(false)
  const add = (event: Event): void => {
    event.preventDefault()
    const address = toAddress(typed.trim() === '' ? inventNumber() : typed, channel)
    setIsRefused(address === null)
    if (address === null) return
    setTyped('')
    onAdd(address)
  }
  return (
    <form class="new-person" onSubmit={add} noValidate>
      <label for="new-phone">Another number</label>
      <input
        id="new-phone"
        type="tel"
        autocomplete="off"
        placeholder="any, or +1 500 555 0006"
        value={typed}
        aria-invalid={isRefused}
        aria-describedby={isRefused ? 'new-phone-problem' : undefined}
        onInput={(event) => (setTyped(event.currentTarget.value), setIsRefused(false))}
      />
      {isRefused && (
        <p id="new-phone-problem" class="problem" role="alert">
          Write it with + and the country code.
        </p>
      )}
      <div class="new-person-row">
        <select
          aria-label="Channel"
          value={channel}
          onChange={(event) => setChannel(event.currentTarget.value as Channel)}
        >
          <option value="whatsapp">WhatsApp</option>
          <option value="sms">SMS</option>
        </select>
        <button type="submit" class="secondary">
          Add
        </button>
      </div>
    </form>
  )
}
