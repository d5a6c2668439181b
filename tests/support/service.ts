/**
 * Duologue as a process of its own, started like `npm start` starts it, with a fake Twilio in a second
 * process that outlives every kill. Tests speak to both over HTTP only.
 */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import twilio from 'twilio'

const root = join(import.meta.dirname, '../..')

export const accountSid = `AC${'1'.repeat(32)}`
export const authToken = 'a-token-of-tests'
export const business = 'whatsapp:+14155238886'
export const apiToken = 'api-token-of-tests'

export type SentByDuologue = {
  readonly sid: string
  readonly to: string
  readonly body: string
  readonly mediaUrls: readonly string[]
  readonly status: string
  readonly statusCallback: string | null
}

export type FakeTwilioProcess = {
  readonly url: string
  /** A user writes; answers the webhook's status code, 0 when none came. */
  say(from: string, body: string, messageSid?: string): Promise<{ sid: string; statusCode: number }>
  /** What Twilio accepted from Duologue, oldest first. */
  sent(to?: string): Promise<readonly SentByDuologue[]>
  /** `more`: other fields of a fault, such as the only address that it is for. */
  fault(kind: string, count?: number, more?: object): Promise<void>
  /** Keeps a file as Twilio keeps a user's, and answers its address. */
  addMedia(contentType: string, bytes: Buffer, sid?: string): Promise<string>
  /** Where a file of this sid is. */
  mediaUrl(sid: string): string
  setWebhookBase(url: string): Promise<void>
  stop(): Promise<void>
}

export async function startFakeTwilio(): Promise<FakeTwilioProcess> {
  const program = join(root, 'src/infra/phone/fake-twilio-process.ts')
  const settings = { accountSid, authToken, statusDelaysMs: { sent: 20, delivered: 40, read: 80 } }
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const { url } = JSON.parse(await readLine(child, (line) => line.startsWith('{'))) as { url: string }
  const post = async (path: string, body: object): Promise<Response> =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return {
    url,
    async say(from, body, messageSid) {
      const response = await post('/fake/inbound', { from, to: business, body, ...(messageSid && { messageSid }) })
      return (await response.json()) as { sid: string; statusCode: number }
    },
    async sent(to) {
      const { items } = (await (await fetch(`${url}/fake/messages`)).json()) as {
        items: (SentByDuologue & { direction: string })[]
      }
      return items.filter((item) => item.direction === 'outbound-api' && (to === undefined || item.to === to))
    },
    fault: async (kind, count = 1, more = {}) => void (await post('/fake/faults', { kind, count, ...more })),
    async addMedia(contentType, bytes, wanted) {
      const file = { contentType, base64: bytes.toString('base64'), ...(wanted !== undefined && { sid: wanted }) }
      const { sid } = (await (await post('/fake/media', file)).json()) as { sid: string }
      return toMediaUrl(url, sid)
    },
    mediaUrl: (sid) => toMediaUrl(url, sid),
    setWebhookBase: async (webhookBase) => void (await post('/fake/webhook', { webhookBase })),
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

function toMediaUrl(url: string, sid: string): string {
  return `${url}/2010-04-01/Accounts/${accountSid}/Messages/MM${'0'.repeat(32)}/Media/${sid}`
}

export type ServiceProcess = {
  readonly url: string
  readonly pid: number
  readonly child: ChildProcess
  /** What it has printed so far. */
  output(): string
  get(path: string): Promise<Response>
  json<T>(path: string): Promise<T>
  /** Posts a form as Twilio would, signed for the service's own URL unless told otherwise. */
  post(path: string, form: Record<string, string>, signature?: string | null): Promise<Response>
  /** Resolves when the process stands still at its crash point. */
  crashPointReached(): Promise<void>
  kill(): Promise<void>
  stop(): Promise<number | null>
}

export type ServiceOptions = {
  readonly dataDir: string
  /** Null: the service's own built-in phone. */
  readonly fake: FakeTwilioProcess | null
  readonly port: number
  readonly env?: { readonly [name: string]: string }
}

const readyMs = 60_000

export async function startService({ dataDir, fake, port, env = {} }: ServiceOptions): Promise<ServiceProcess> {
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [join(root, 'src/main.ts')], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      DUOLOGUE_PORT: String(port),
      DUOLOGUE_DATA_DIR: dataDir,
      DUOLOGUE_API_TOKEN: apiToken,
      DUOLOGUE_PARTITIONS: '8',
      DUOLOGUE_SEND_RESOLVE_AFTER_MS: '300,700',
      ...(fake !== null && toTwilioSettings(fake)),
      ...env,
    },
  })
  let output = ''
  const reached = Promise.withResolvers<void>()
  const keep = (text: string): void => {
    output += text
    if (output.includes('{"crashPoint"')) reached.resolve()
    if (process.env['DUOLOGUE_TEST_LOG']) process.stdout.write(text)
  }
  child.stdout.setEncoding('utf8').on('data', keep)
  child.stderr.setEncoding('utf8').on('data', keep)
  // Behind a load balancer Twilio calls that one.
  if (env['DUOLOGUE_PUBLIC_URL'] === undefined) await fake?.setWebhookBase(url)
  await untilReady(url, child, () => output)
  const get = async (path: string): Promise<Response> =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${apiToken}` } })
  return {
    url,
    pid: child.pid ?? 0,
    child,
    output: () => output,
    get,
    json: async <T>(path: string) => (await (await get(path)).json()) as T,
    post: async (path, form, signature) => postForm(`${url}${path}`, form, signature),
    crashPointReached: async () => reached.promise,
    async kill() {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return child.exitCode
    },
  }
}

function toTwilioSettings(fake: FakeTwilioProcess): { readonly [name: string]: string } {
  return {
    TWILIO_ACCOUNT_SID: accountSid,
    TWILIO_AUTH_TOKEN: authToken,
    TWILIO_NUMBERS: `${business},sms:+14155238886,whatsapp:+14155238887`,
    TWILIO_API_URL: fake.url,
  }
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`the service ended with ${child.exitCode}:\n${output()}`)
      const response = await fetch(`${url}/readyz`).catch(() => null)
      return response?.status === 200
    },
    readyMs,
    () => `the service is not ready:\n${output()}`,
  )
}

async function postForm(url: string, form: Record<string, string>, signature?: string | null): Promise<Response> {
  const signed = signature === undefined ? twilio.getExpectedTwilioSignature(authToken, url, form) : signature
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      ...(signed !== null && { 'x-twilio-signature': signed }),
    },
    body: new URLSearchParams(form),
  })
}

const pollMs = 20

/** Waits for a condition, at most `withinMs`. */
export async function until(
  condition: () => Promise<boolean> | boolean,
  withinMs: number,
  sentence: () => string = () => 'the condition did not come true',
): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    if (await condition()) return
    if (performance.now() > deadline) throw new Error(sentence())
    await new Promise((resolve) => {
      setTimeout(resolve, pollMs)
    })
  }
}

export async function makeTemporaryFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'duologue-test-'))
  return { path, remove: async () => rm(path, { recursive: true, force: true }) }
}

async function readLine(child: ChildProcess, isWanted: (line: string) => boolean): Promise<string> {
  let text = ''
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk)
    const line = text.split('\n').find((candidate) => isWanted(candidate))
    if (line !== undefined && text.includes('\n')) return line
  }
  throw new Error(`the process ended without saying what was awaited: ${text}`)
}
