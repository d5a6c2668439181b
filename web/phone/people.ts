/**
 * The people that this browser writes as. They are kept in the browser only; a person is an address:
 * `whatsapp:+15005550006`, or `+15005550006` for SMS.
 */
const storageKey = 'duologue.phone.people'
const addressPattern = /^(?:whatsapp:)?\+[1-9]\d{5,14}$/
const peopleMax = 50

export type People = { readonly addresses: readonly string[]; readonly selected: string }
export type Channel = 'whatsapp' | 'sms'

export function loadPeople(): People {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) ?? '') as Partial<People>
    const addresses = (stored.addresses ?? []).filter((address) => addressPattern.test(address))
    const [first] = addresses
    if (first === undefined) return invent()
    return { addresses, selected: addresses.find((address) => address === stored.selected) ?? first }
  } catch {
    return invent()
  }
}

export function savePeople(people: People): void {
  localStorage.setItem(storageKey, JSON.stringify(people))
}

/** With the person selected, who is added when new. */
export function withPerson(people: People, address: string): People {
  const addresses = people.addresses.includes(address) ? people.addresses : [address, ...people.addresses]
  return { addresses: addresses.slice(0, peopleMax), selected: address }
}

/** The address of a number that somebody typed; null when it is no international number. */
export function toAddress(typed: string, channel: Channel): string | null {
  const phone = typed.replace(/[\s().-]/g, '').replace(/^00/, '+')
  const address = channel === 'whatsapp' ? `whatsapp:${phone}` : phone
  return addressPattern.test(address) ? address : null
}

/** A number of the range that is kept for tests: it belongs to nobody. */
export function inventNumber(): string {
  return `+1500555${String(Math.floor(Math.random() * 10_000)).padStart(4, '0')}`
}

export function toChannel(address: string): Channel {
  return address.startsWith('whatsapp:') ? 'whatsapp' : 'sms'
}

export function toChannelName(channel: Channel): string {
  return channel === 'whatsapp' ? 'WhatsApp' : 'SMS'
}

/** `+1 500 555 0006`: in groups that can be read aloud. */
export function toReadablePhone(address: string): string {
  const phone = address.replace(/^\w+:/, '')
  const northAmerican = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone)
  if (northAmerican) return `+1 ${northAmerican.slice(1).join(' ')}`
  const other = /^\+(\d{2})(\d{2})(\d+)(\d{4})$/.exec(phone)
  return other ? `+${other.slice(1).join(' ')}` : phone
}

function invent(): People {
  const address = `whatsapp:${inventNumber()}`
  return { addresses: [address], selected: address }
}
