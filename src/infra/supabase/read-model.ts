/** The read model: the rows come as the API answers them, so little is left to do but times and cursors. */
import {
  MalformedCursor,
  type Channel,
  type CommandItem,
  type MessageItem,
  type Page,
  type PageRequest,
  type QuarantinedItem,
  type ReadModel,
  type SessionItem,
  type SessionMessageItem,
} from '../../actors/read-model.ts'
import { contentOf } from '../../machines/content.ts'
import type { ContentPart, Transcripts } from '../../machines/content.ts'
import type { Media } from '../../machines/events.ts'
import type { Call } from './call.ts'
import { fromCursor, toCursor } from './cursor.ts'
import type { ChannelRow } from './rows.ts'

type Item = { readonly [field: string]: unknown }
type PageAnswer = { readonly items: readonly Item[]; readonly next: Item | null }

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/iu
const isoWithOffset = /^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/u

export function createReadModel(call: Call): ReadModel {
  const list: List = async <T>(name: string, request: object, key: Key, page: PageRequest) => {
    const after = readCursor(page.cursor ?? null, key)
    const answer = await call(name, { ...request, after, limit: page.limit ?? null, tenant_id: page.tenantId ?? null })
    return answer === null ? null : toPage<T>(answer as PageAnswer)
  }
  const listOf = async <T>(name: string, id: string, key: Key, page: PageRequest): Promise<Page<T> | null> =>
    uuid.test(id) ? list<T>(name, { conversation_id: id }, key, page) : null
  return {
    ...createSessionReading(call, list),
    listConversations: async ({ address, status, ...page }) =>
      (await list(
        'list_conversations',
        { address: address ?? null, status: status ?? null },
        { updated_at: isTime, id: isUuid },
        page,
      )) ?? emptyPage,
    getConversation: async (id, tenantId) => {
      if (!uuid.test(id)) return null
      const { item } = (await call('get_conversation', { conversation_id: id, tenant_id: tenantId ?? null })) as {
        item: Item | null
      }
      return item === null ? null : (toItem(item) as Awaited<ReturnType<ReadModel['getConversation']>>)
    },
    listMessages: async (id, page) => {
      const found = await listOf<Stored<MessageItem>>('list_messages', id, { id: isUuid }, page)
      return found === null ? null : { ...found, items: found.items.map(withContent) }
    },
    findMedia: async (id, messageId, index, tenantId) => {
      if (!uuid.test(id) || !uuid.test(messageId)) return null
      const request = { conversation_id: id, message_id: messageId, index, tenant_id: tenantId ?? null }
      const { media } = (await call('message_media', request)) as { media: Media | null }
      return media
    },
    listHistory: (id, page) => listOf('list_history', id, { version: isVersion }, page),
    listEvents: (id, page) => listOf('list_events', id, { version: isVersion }, page),
    getCommand: async (id, tenantId) => {
      const { command } = (await call('get_command', { command_id: id, tenant_id: tenantId ?? null })) as {
        command: Item | null
      }
      return command === null ? null : (toItem(command) as CommandItem)
    },
    listQuarantine: async (page) =>
      (await list('quarantine_list', {}, { at: isTime, sequence: isVersion, id: isUuid }, page)) ?? emptyPage,
    getQuarantined: async (id, tenantId) => {
      if (!uuid.test(id)) return null
      const { item } = (await call('quarantine_get', { id, tenant_id: tenantId ?? null })) as { item: Item | null }
      return item === null ? null : (toItem(item) as QuarantinedItem)
    },
    findChannel: async (address) => {
      const { channel } = (await call('find_channel', { address })) as { channel: ChannelRow | null }
      return channel === null ? null : toChannel(channel)
    },
  }
}

type List = <T>(name: string, request: object, key: Key, page: PageRequest) => Promise<Page<T> | null>

function createSessionReading(
  call: Call,
  list: List,
): Pick<ReadModel, 'getSession' | 'listSessionMessages' | 'findHomes'> {
  return {
    getSession: async (id, tenantId) => {
      if (!uuid.test(id)) return null
      const request = { session_id: id, tenant_id: tenantId ?? null }
      const { session } = (await call('get_session', request)) as { session: Item | null }
      return session === null ? null : toSession(session)
    },
    listSessionMessages: async (id, page) => {
      if (!uuid.test(id)) return null
      const request = { session_id: id }
      const found = await list<Stored<SessionMessageItem>>('list_session_messages', request, { id: isUuid }, page)
      return found === null ? null : { ...found, items: found.items.map(withContent) }
    },
    findHomes: async (userKey, tenantId) => {
      const request = { user_key: userKey, tenant_id: tenantId ?? null }
      const { homes } = (await call('find_homes', request)) as { homes: readonly { readonly user_key: string }[] }
      return homes.map(({ user_key }) => user_key)
    },
  }
}

type StoredContent = { readonly content: readonly ContentPart[] | null; readonly transcripts: Transcripts | null }
type Stored<T extends { readonly content: unknown }> = Omit<T, 'content'> & StoredContent

/** Every message has parts in the API, also one of before they were stored, with what was said in its audio. */
function withContent<T extends Pick<MessageItem, 'body' | 'media'> & StoredContent>({ transcripts, ...stored }: T) {
  const content = contentOf(stored).map((part): MessageItem['content'][number] =>
    part.kind === 'audio' ? { ...part, transcript: transcripts?.[part.media] ?? null } : part,
  )
  return { ...stored, content }
}

const emptyPage = { items: [], next: null } as const

type Key = { readonly [name: string]: (value: unknown) => boolean }

const isUuid = (value: unknown): boolean => typeof value === 'string' && uuid.test(value)
const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value))
const isVersion = (value: unknown): boolean => Number.isSafeInteger(value)

function readCursor(cursor: string | null, key: Key): Item | null {
  if (cursor === null) return null
  const names = Object.keys(key)
  const found = fromCursor(cursor, names)
  if (!names.every((name) => key[name]?.(found[name]) === true)) {
    throw new MalformedCursor('could not read a cursor of another list')
  }
  return found
}

function toPage<T>({ items, next }: PageAnswer): Page<T> {
  return { items: items.map((item) => toItem(item) as T), next: toCursor(next) }
}

/** Times end in Z as everywhere else in the API; a journalled event, a body or a reason is left as it is. */
function toItem(item: Item): Item {
  return Object.fromEntries(
    Object.entries(item).map(([field, value]) => [
      field,
      (field === 'at' || field.endsWith('At')) && typeof value === 'string' && isoWithOffset.test(value)
        ? new Date(value).toISOString()
        : value,
    ]),
  )
}

function toSession(session: Item): SessionItem {
  const lists = ['addresses', 'conversations', 'links'].map(
    (name) => [name, (session[name] as readonly Item[]).map(toItem)] as const,
  )
  return { ...toItem(session), ...Object.fromEntries(lists) } as unknown as SessionItem
}

function toChannel(row: ChannelRow): Channel {
  return {
    channelId: row.id,
    tenantId: row.tenant_id,
    address: row.address,
    providerAccount: row.provider_account,
    tokenSecretName: row.token_secret_name,
    settings: row.settings,
  }
}
