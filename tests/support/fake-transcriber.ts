/**
 * An OpenAI-compatible `/audio/transcriptions` as a real HTTP server, for tests: it answers well, slowly, wrongly, with
 * malice, or never, and remembers what it was asked. Like real ones it refuses a wrong key and an unknown model.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Hearing =
  | { readonly kind: 'text'; readonly text: string; readonly delayMs?: number }
  | { readonly kind: 'status'; readonly status: number }
  /** The bytes of an answer with status 200. */
  | { readonly kind: 'raw'; readonly body: string }
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'never' }
  /** An answer that goes on for as long as somebody reads. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'dropped' }

export type FakeTranscriber = {
  readonly env: {
    readonly TRANSCRIBE_BASE_URL: string
    readonly TRANSCRIBE_API_KEY: string
    readonly TRANSCRIBE_MODEL: string
  }
  /** The files that it was asked about, oldest first. */
  readonly requests: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[]
  /** What is answered from now on, or by what the file holds; `isOpen`: whether anybody still waits for it. */
  answer(hearing: Hearing | Decide): void
  /** Forgets what it was asked. */
  reset(): void
  close(): Promise<void>
}

type Decide = (bytes: Buffer, isOpen: () => boolean) => Hearing | Promise<Hearing>

const apiKey = 'transcribe-key-of-tests'
const model = 'fake-ears'

export async function startFakeTranscriber(): Promise<FakeTranscriber> {
  const requests: { name: string; type: string; bytes: Buffer }[] = []
  let decide: Decide = () => ({ kind: 'text', text: 'hello' })
  const server = createServer((request, response) => {
    void receive(request, response).catch(() => response.destroy())
  })
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { authorization, 'content-type': contentType = '' } = request.headers
    const isRight = request.method === 'POST' && request.url === '/v1/audio/transcriptions'
    if (!isRight || authorization !== `Bearer ${apiKey}`) return void response.writeHead(isRight ? 401 : 404).end()
    const body = new Response(Buffer.concat(chunks), { headers: { 'content-type': contentType } })
    const form = await body.formData()
    const file = form.get('file')
    if (form.get('model') !== model || !(file instanceof File)) return void response.writeHead(404).end()
    const bytes = Buffer.from(await file.arrayBuffer())
    requests.push({ name: file.name, type: file.type, bytes })
    perform(await decide(bytes, () => !response.destroyed), response)
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return {
    env: { TRANSCRIBE_BASE_URL: baseUrl, TRANSCRIBE_API_KEY: apiKey, TRANSCRIBE_MODEL: model },
    requests,
    answer: (hearing) => void (decide = typeof hearing === 'function' ? hearing : () => hearing),
    reset() {
      requests.length = 0
      decide = () => ({ kind: 'text', text: 'hello' })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function perform(hearing: Hearing, response: ServerResponse): void {
  switch (hearing.kind) {
    case 'text':
      setTimeout(() => sendJson(response, { text: hearing.text }), hearing.delayMs ?? 0)
      return
    case 'status':
      response
        .writeHead(hearing.status, { 'content-type': 'application/json' })
        .end('{"error": {"message": "ordered"}}')
      return
    case 'raw':
      response.writeHead(200, { 'content-type': 'application/json' }).end(hearing.body)
      return
    case 'redirect':
      response.writeHead(307, { location: hearing.location }).end()
      return
    case 'never':
      return
    case 'endless': {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"text": "')
      const chunk = 'y'.repeat(16_384)
      const more = (): void => {
        while (!response.destroyed && response.write(chunk));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
      return
    }
    case 'dropped':
      response.destroy()
      return
  }
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

/** What no transcription is: each leads to a bounded failure. */
export const badHearings: { readonly [what: string]: Hearing } = {
  'an error': { kind: 'status', status: 500 },
  'a wrong key': { kind: 'status', status: 401 },
  'too many requests': { kind: 'status', status: 429 },
  'no JSON': { kind: 'raw', body: '<html>hello</html>' },
  'a list': { kind: 'raw', body: '["STOP"]' },
  'a text that is none': { kind: 'raw', body: '{"text": {"toString": "STOP"}}' },
  'another field': { kind: 'raw', body: '{"transcript": "STOP"}' },
  'a prototype': { kind: 'raw', body: '{"__proto__": {"text": "STOP"}}' },
  nothing: { kind: 'raw', body: '' },
  'an endless answer': { kind: 'endless' },
  'a closed connection': { kind: 'dropped' },
  'another place': { kind: 'redirect', location: 'http://127.0.0.1:9/v1/audio/transcriptions' },
}
