/**
 * What the fake Twilio knows: every message that it took from a user or from Duologue, newest last.
 *
 * With a file, every change is one appended line with the whole message; the last line of a sid
 * counts. A line is written before anybody is told of the change, so another program can read what
 * was really accepted after Duologue, or the process that holds this ledger, was killed.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'

export type LedgerStatus =
  | 'receiving'
  | 'received'
  | 'queued'
  | 'sent'
  | 'delivered'
  | 'read'
  | 'undelivered'
  | 'failed'

export type LedgerMessage = {
  readonly sid: string
  readonly direction: 'inbound' | 'outbound-api'
  /** Addresses as Twilio's API writes them: `whatsapp:+1…`, or `+1…` for SMS. */
  readonly from: string
  readonly to: string
  readonly body: string
  /** A template, in place of a body. */
  readonly contentSid?: string
  readonly contentVariables?: string
  readonly mediaUrls: readonly string[]
  readonly status: LedgerStatus
  readonly errorCode: number | null
  /** Where its sender wants to hear of its status. */
  readonly statusCallback: string | null
  readonly createdAt: number
  /** Null while it waits in Twilio's queue. */
  readonly sentAt: number | null
  readonly updatedAt: number
}

export type LedgerChange = Partial<Pick<LedgerMessage, 'status' | 'errorCode' | 'sentAt' | 'updatedAt'>>

export type Ledger = {
  add(message: LedgerMessage): void
  change(sid: string, change: LedgerChange): LedgerMessage
  find(sid: string): LedgerMessage | null
  /** Oldest first. */
  all(): readonly LedgerMessage[]
  /** Oldest first, of one user's address. */
  ofUser(address: string): readonly LedgerMessage[]
  /** Called after every change, with the message as it is now; the returned function ends it. */
  subscribe(listener: (message: LedgerMessage) => void): () => void
}

export function openLedger(file: string | null): Ledger {
  const messages = new Map<string, LedgerMessage>()
  const sidsByUser = new Map<string, Set<string>>()
  const listeners = new Set<(message: LedgerMessage) => void>()
  const remember = (message: LedgerMessage): void => {
    messages.set(message.sid, message)
    const user = toUser(message)
    const sids = sidsByUser.get(user) ?? new Set()
    sidsByUser.set(user, sids.add(message.sid))
  }
  const keep = (message: LedgerMessage): void => {
    if (file !== null) appendFileSync(file, `${JSON.stringify(message)}\n`)
    remember(message)
    for (const listener of listeners) listener(message)
  }
  const find = (sid: string): LedgerMessage | null => messages.get(sid) ?? null
  if (file !== null) cutTornLine(file)
  for (const message of file === null ? [] : readLedgerFile(file)) remember(message)
  return {
    add: keep,
    find,
    change(sid, change) {
      const message = find(sid)
      if (message === null) throw new Error(`could not change message ${sid}: it is not in the ledger`)
      const changed = { ...message, ...change }
      keep(changed)
      return changed
    },
    all: () => [...messages.values()],
    ofUser: (address) => [...(sidsByUser.get(address) ?? [])].map(find).filter((message) => message !== null),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** A line that a dying process did not finish was never acknowledged to anybody, and nothing may be appended to it. */
function cutTornLine(file: string): void {
  if (existsSync(file)) truncateSync(file, readFileSync(file).lastIndexOf(0x0a) + 1)
}

/** Every whole line of a ledger file, oldest first: the last one of a sid is how the message is now. */
export function readLedgerFile(file: string): readonly LedgerMessage[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as LedgerMessage)
}

/** The user's address of a message: the other one is the business. */
export function toUser(message: LedgerMessage): string {
  return message.direction === 'inbound' ? message.from : message.to
}
