/**
 * What a user, an operator and time do to a running service, from outside: signed webhooks, the API, and events of
 * the log. And what an outsider can see of it.
 */
import { jetstream } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'

import { toKind } from '../../src/actors/logged-event.ts'
import type { LoggedEvent } from '../../src/actors/ports.ts'
import { toSessionKey } from '../../src/actors/session-key.ts'
import type { CommandItem, ConversationItem, HistoryItem, MessageItem } from '../../src/actors/read-model.ts'
import { createEventPublisher } from '../../src/infra/nats/publisher.ts'
import { toPublishedSubject } from '../../src/infra/nats/subjects.ts'
import { apiToken, business, until } from './service.ts'
import type { ServiceProcess } from './service.ts'
import { messagesPath, toForm } from './production.ts'
import type { Production } from './production.ts'

export type CommandAnswer = Partial<Omit<CommandItem, 'id'>> & { readonly commandId?: string; readonly href?: string }
export type Answered = { readonly statusCode: number; readonly body: CommandAnswer; readonly headers: Headers }

type Page<T> = { readonly items: T[]; readonly next: string | null }

export function createConversationClient(service: () => ServiceProcess) {
  const client = {
    async say(user: string, text: string, sid?: string): Promise<number> {
      const form = toForm({ From: user, Body: text, WaId: user.replace(/\D/gu, '') })
      if (sid !== undefined) Object.assign(form, { MessageSid: sid, SmsSid: sid, SmsMessageSid: sid })
      const response = await service().post(messagesPath, form)
      await response.arrayBuffer()
      return response.status
    },
    /** All conversations of a user, the last changed first. */
    async all(user: string): Promise<readonly ConversationItem[]> {
      return (await service().json<Page<ConversationItem>>(`/api/conversations?address=${encodeURIComponent(user)}`))
        .items
    },
    /** The newest conversation of a user. */
    async current(user: string): Promise<ConversationItem | null> {
      const items = await client.all(user)
      return items.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0] ?? null
    },
    async reaches(user: string, status: string, withinMs = 15_000): Promise<ConversationItem> {
      let last: ConversationItem | null = null
      await until(
        async () => {
          last = await client.current(user)
          return last?.status === status
        },
        withinMs,
        () => `${user} is in ${last?.status}, not in ${status}`,
      )
      return last as unknown as ConversationItem
    },
    async messages(id: string): Promise<readonly MessageItem[]> {
      return (await service().json<Page<MessageItem>>(`/api/conversations/${id}/messages?limit=200`)).items
    },
    async history(id: string): Promise<readonly HistoryItem[]> {
      return (await service().json<Page<HistoryItem>>(`/api/conversations/${id}/history?limit=200`)).items
    },
    async command(
      id: string,
      name: string,
      body: object,
      headers: { readonly [name: string]: string } = {},
    ): Promise<Answered> {
      const response = await fetch(`${service().url}/api/conversations/${id}/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
      return {
        statusCode: response.status,
        body: (await response.json()) as CommandAnswer,
        headers: response.headers,
      }
    },
  }
  return client
}

export type ConversationClient = ReturnType<typeof createConversationClient>

/** Publishes to the log as another program would. */
export async function openLogClient({ nats }: Pick<Production, 'nats'>) {
  const connection = await connect({ servers: nats.url, user: nats.user, pass: nats.pass })
  const publisher = createEventPublisher(connection, 10_000)
  return {
    publish: publisher.publish,
    /** Without a publication id: the broker recognises no duplicate. */
    async publishAnew(event: LoggedEvent): Promise<void> {
      const subject = toPublishedSubject(toKind(event), toSessionKey(event.businessAddress, event.userKey))
      await jetstream(connection).publish(subject, JSON.stringify(event))
    },
    /** Moves one session's clock forward; needs `DUOLOGUE_TEST_CLOCK`. */
    advance: async (userKey: string, byMs: number) =>
      publisher.publish({
        v: 1,
        type: 'clock.advanced',
        businessAddress: business,
        userKey,
        commandId: crypto.randomUUID(),
        byMs,
      }),
    close: async () => connection.close(),
  }
}

export type LogClient = Awaited<ReturnType<typeof openLogClient>>
