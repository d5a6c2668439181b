/**
 * What an operator may say of who somebody is: that an address is the same person as a session, and that it is not. One
 * link at a time moves its keys, and in an order in which no message can come before one that was acknowledged earlier:
 *
 * 1. The keys are held, and for longer than any node may rely on what it knows of them.
 * 2. A command passes the log of the session that gives the keys away: what was acknowledged before is committed there.
 *    Where that session has an open conversation, the command closes it, with the link as its reason.
 * 3. The keys move in one transaction, and the hold ends with it.
 *
 * Whatever ends in between has moved nothing: the hold runs out, and the operator says it again.
 */
import type { HeldLink, LinkRefusal, LinkStore } from '../../actors/identity-store.ts'
import type { Clock, EventPublisher, Ids, LoggedCommand } from '../../actors/ports.ts'
import type { CommandItem } from '../../actors/read-model.ts'
import type { JsonObject } from '../../machines/json.ts'
import { freshForMs } from './identity-resolver.ts'

const holdMs = 12_000
const settleMs = freshForMs + 200
const outcomeWithinMs = 5_000
const lookEveryMs = 50
/** What is held may wait so long, with what the log takes. */
const answeredWithinMs = 5_000
const reasonCharactersMax = 500

export type LinkOrder = {
  /** Null: any tenant's. */
  readonly tenantId: string | null
  readonly sessionId: string
  readonly userKey: string
  readonly operatorId: string
  readonly reason: string
}

export type LinkOutcome =
  | { readonly outcome: 'applied'; readonly linkId: string; readonly closedConversationId: string | null }
  | LinkRefusal
  /** The log or an owner did not answer in time; nothing was moved. */
  | { readonly outcome: 'unsettled' }

export type UnlinkOutcome =
  | {
      readonly outcome: 'applied'
      readonly linkId: string
      readonly sessionId: string | null
      readonly moved: number
    }
  | LinkRefusal
  | { readonly outcome: 'unsettled' }

export type SessionLinks = {
  link(order: LinkOrder): Promise<LinkOutcome>
  unlink(order: LinkOrder): Promise<UnlinkOutcome>
}

export type SessionLinksOptions = {
  readonly store: LinkStore
  readonly publisher: EventPublisher
  readonly getCommand: (commandId: string) => Promise<CommandItem | null>
  /** This process's own knowledge of the links. */
  readonly refresh: () => Promise<void>
  readonly clock: Clock
  readonly ids: Ids
  readonly isAlone: boolean
}

export function createSessionLinks(options: SessionLinksOptions): SessionLinks {
  const { store, ids } = options
  return {
    link: async (order) =>
      whileHeld(options, order, false, async (held) => {
        const linkId = ids.next()
        const closed = await closeOther(options, order, held, linkId)
        if (closed === null) return { outcome: 'unsettled' }
        if (closed.outcome === 'refused') return closed
        const { closedConversationId } = closed
        const fromKey = held.from.userKey
        const linked = await store.linkIdentities({ ...order, fromKey, linkId, closedConversationId })
        return linked.outcome === 'applied' ? { ...linked, closedConversationId } : linked
      }),
    unlink: async (order) =>
      whileHeld(options, order, true, async ({ into, from }) => {
        // It changes nothing; its outcome says that everything before it is committed.
        const passed = await passLog(options, into, ids.next(), toClosing(order, 'nothing'), `unlink.${ids.next()}`)
        if (passed === null) return { outcome: 'unsettled' }
        return part(options, order, from.userKey)
      }),
  }
}

/** Waits a while for an answer to the other person that is on its way: afterwards it would go to the wrong one. */
async function part(
  { store, clock, ids }: SessionLinksOptions,
  order: LinkOrder,
  fromKey: string,
): Promise<UnlinkOutcome> {
  const giveUpAt = clock.monotonic() + answeredWithinMs
  const newSessionId = ids.next()
  for (;;) {
    const parted = await store.unlinkIdentities({ ...order, fromKey, newSessionId })
    if (parted.outcome !== 'busy') return parted
    if (clock.monotonic() >= giveUpAt) {
      return { outcome: 'refused', reason: 'the other person is being answered in this session: say it again' }
    }
    await pause(clock, lookEveryMs)
  }
}

async function whileHeld<Outcome>(
  { store, refresh, clock, isAlone }: SessionLinksOptions,
  { tenantId, sessionId, userKey }: LinkOrder,
  isUndoing: boolean,
  move: (held: HeldLink) => Promise<Outcome>,
): Promise<Outcome | LinkRefusal> {
  const held = await store.holdIdentities({ tenantId, sessionId, userKey, isUndoing, holdMs })
  if (held.outcome !== 'held') return held
  try {
    await refresh()
    if (!isAlone) await pause(clock, settleMs)
    return await move(held)
  } finally {
    await store.releaseIdentities({ tenantId, sessionId, keys: held.keys })
    await refresh()
  }
}

type Closed =
  | { readonly outcome: 'closed'; readonly closedConversationId: string | null }
  | { readonly outcome: 'refused'; readonly reason: string }

/** Null: nobody answered. */
async function closeOther(
  options: SessionLinksOptions,
  order: LinkOrder,
  { into, from }: HeldLink,
  linkId: string,
): Promise<Closed | null> {
  if (from.sessionId === null) return { outcome: 'closed', closedConversationId: null }
  const conversationId = from.conversationId ?? options.ids.next()
  const closing = toClosing(order, `linked to session ${into.sessionId ?? ''}`)
  const passed = await passLog(options, from, conversationId, closing, `link.${linkId}`)
  if (passed === null) return null
  if (passed.outcome === 'applied') return { outcome: 'closed', closedConversationId: conversationId }
  const isClosed = passed.status === null || !openStatuses.has(passed.status)
  if (isClosed) return { outcome: 'closed', closedConversationId: null }
  return { outcome: 'refused', reason: `the other conversation could not be closed: ${passed.reason ?? 'unknown'}` }
}

const openStatuses: ReadonlySet<string> = new Set(['PENDING', 'PROGRESS', 'HUMAN_HANDOFF', 'IDLE_TIMEOUT'])

function toClosing({ operatorId, reason }: LinkOrder, what: string): JsonObject {
  const text = reason === '' ? what : `${what}: ${reason}`
  return { type: 'operator.closed', operatorId, as: 'support', reason: text.slice(0, reasonCharactersMax) }
}

async function passLog(
  { publisher, getCommand, clock }: SessionLinksOptions,
  { businessAddress, userKey }: { readonly businessAddress: string; readonly userKey: string },
  conversationId: string,
  event: JsonObject,
  commandId: string,
): Promise<CommandItem | null> {
  const address = { businessAddress, userKey }
  const issuedAt = clock.now()
  const asked = { commandId, conversationId, seenVersion: null, event, issuedAt }
  const command: LoggedCommand = { v: 1, type: 'command.issued', ...address, ...asked }
  const giveUpAt = clock.monotonic() + outcomeWithinMs
  try {
    await publisher.publish(command)
  } catch {
    return null
  }
  while (clock.monotonic() < giveUpAt) {
    const settled = await getCommand(commandId)
    if (settled !== null) return settled
    await pause(clock, lookEveryMs)
  }
  return null
}

async function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.schedule(delayMs, resolve))
}
