/** Users with several addresses, who write through signed webhooks, and what is stored of them. */
import { expect } from 'vitest'

import { messagesPath, toForm } from './production.ts'
import type { Production } from './production.ts'
import { until } from './service.ts'
import type { ServiceProcess } from './service.ts'

export type Person = {
  readonly phone: string
  readonly bsuid: string
  readonly newPhone: string
  readonly newBsuid: string
}

type Row = Record<string, unknown>

let people = 0

export function newPerson(): Person {
  people += 1
  const digits = String(people).padStart(4, '0')
  return {
    phone: `whatsapp:+1500600${digits}`,
    bsuid: `whatsapp:US.77${digits}`,
    newPhone: `whatsapp:+1500700${digits}`,
    newBsuid: `whatsapp:US.88${digits}`,
  }
}

/** As Twilio writes it: with a phone number `ExternalUserId` comes along, without one all fields are the id. */
export async function say(service: ServiceProcess, from: string, body: string, externalUserId = from): Promise<void> {
  const form = toForm({ From: from, Body: body, ExternalUserId: externalUserId })
  if (from.startsWith('whatsapp:+')) form['WaId'] = from.slice('whatsapp:+'.length)
  else delete form['WaId']
  const response = await service.post(messagesPath, form)
  expect(response.status).toBe(200)
}

/** Users' messages in the order of their steps; `where` is about `message` and `session`. */
export async function readInbound({ sql }: Production, where: string): Promise<readonly Row[]> {
  return sql(
    `select message.id, message.session_id, message.body, session.user_key, session.reply_address, message.conversation_id
    from duologue.messages as message join duologue.sessions as session on session.id = message.session_id
    where message.direction = 'inbound' and ${where} order by message.id`,
  )
}

/** The bodies that begin so, by the session that has them; waits until so many are stored. */
export async function readStored(
  production: Production,
  prefix: string,
  count: number,
): Promise<Map<string, string[]>> {
  let rows: readonly Row[] = []
  await until(
    async () => {
      rows = await readInbound(production, `message.body like '${prefix}%'`)
      return rows.length >= count
    },
    60_000,
    () => `${rows.length} of ${count} messages of ${prefix} are stored`,
  )
  const sessions = new Map<string, string[]>()
  for (const { session_id, body } of rows) {
    sessions.set(String(session_id), [...(sessions.get(String(session_id)) ?? []), String(body)])
  }
  return sessions
}
