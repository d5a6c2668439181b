/**
 * An OpenAI-compatible chat endpoint as a real HTTP server, for tests: it answers well, slowly, wrongly, with malice,
 * or never, and remembers what it was asked. Like real ones it refuses a wrong key, an unknown model, and forms of
 * answer that it is told not to know.
 *
 * In this process: `startFakeAi()`. As a process of its own: `node tests/support/fake-ai.ts`, which prints
 * `{"baseUrl"}`. Both take control over HTTP too:
 *
 *   PUT    /fake/answer    a behaviour: what is answered from now on
 *   POST   /fake/next      a list of behaviours: for the next questions, each once, before anything else
 *   PUT    /fake/script    a list of {"when": "<part of the user's text>", "answer": <behaviour>}; no match: the answer above
 *   GET    /fake/requests  what was asked
 *   DELETE /fake/requests  forgets it
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Behaviour =
  /** A draft of the agreed form; without a reply it repeats what the user wrote. */
  | ({
      readonly kind: 'draft'
      readonly reply?: string
      readonly intent?: string
      readonly confidence?: number
    } & Timing)
  /** The model's text, whatever it is. */
  | ({ readonly kind: 'content'; readonly content: string; readonly finishReason?: string } & Timing)
  /** The whole message of the choice: tool calls, refusals. */
  | ({ readonly kind: 'message'; readonly message: object; readonly finishReason?: string } & Timing)
  | { readonly kind: 'status'; readonly status: number; readonly headers?: { readonly [name: string]: string } }
  /** The bytes of an answer with status 200. */
  | { readonly kind: 'raw'; readonly body: string }
  /** Says nothing at all; with `headers` it begins an answer and falls silent. */
  | { readonly kind: 'never'; readonly headers?: boolean }
  /** An answer that goes on for as long as somebody reads. */
  | { readonly kind: 'endless' }
  /** Closes the connection. */
  | { readonly kind: 'dropped' }

type Timing = {
  readonly delayMs?: number
  /** Null: the answer says nothing about tokens. */
  readonly usage?: object | null
}

export type FakeAiRequest = {
  readonly system: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  /** The last message: the turn. */
  readonly userText: string
  readonly body: { readonly [field: string]: unknown }
  /** `closed`: whoever asked went away before the answer was whole. */
  state: 'open' | 'answered' | 'closed'
}

export type FakeAi = {
  /** For `AI_BASE_URL`. */
  readonly baseUrl: string
  /** The settings of a service that uses it. */
  readonly env: { readonly AI_BASE_URL: string; readonly AI_API_KEY: string; readonly AI_MODEL: string }
  /** What was asked, oldest first, without what was refused for its key, model or form. */
  readonly requests: readonly FakeAiRequest[]
  /** What is answered from now on. */
  answer(behaviour: Behaviour): void
  /** What the next questions get, each once, before anything else. */
  next(...behaviours: readonly Behaviour[]): void
  /** Decides by what is asked; null: what `answer` says. */
  script(decide: (request: FakeAiRequest) => Behaviour | null): void
  /** Forms of answer and the name of the token limit that it takes; others get a 400 as OpenAI's. */
  support(supported: Supported): void
  /** Back to the beginning; requests are forgotten. */
  reset(): void
  close(): Promise<void>
}

export type Supported = {
  readonly forms: readonly ('json_schema' | 'json_object' | 'text')[]
  readonly tokensName: 'max_tokens' | 'max_completion_tokens'
}

const apiKey = 'ai-key-of-tests'
const model = 'fake-model'
const everything: Supported = { forms: ['json_schema', 'json_object', 'text'], tokensName: 'max_tokens' }
const wellMeant: Behaviour = { kind: 'draft' }

type State = {
  standing: Behaviour
  waiting: Behaviour[]
  decide: (request: FakeAiRequest) => Behaviour | null
  supported: Supported
  readonly requests: FakeAiRequest[]
}

export async function startFakeAi(): Promise<FakeAi> {
  const state: State = { standing: wellMeant, waiting: [], decide: () => null, supported: everything, requests: [] }
  const server = createServer((request, response) => {
    void receive(state, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return {
    baseUrl,
    env: { AI_BASE_URL: baseUrl, AI_API_KEY: apiKey, AI_MODEL: model },
    requests: state.requests,
    answer: (behaviour) => void (state.standing = behaviour),
    next: (...behaviours) => void state.waiting.push(...behaviours),
    script: (decide) => void (state.decide = decide),
    support: (supported) => void (state.supported = supported),
    reset() {
      Object.assign(state, { standing: wellMeant, waiting: [], decide: () => null, supported: everything })
      state.requests.length = 0
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

// ── What it is asked ─────────────────────────────────────────────────────────────────────────────

async function receive(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const body: unknown = text === '' ? null : JSON.parse(text)
  if (request.url?.startsWith('/fake/') === true) {
    control(state, `${request.method} ${request.url}`, body, response)
    return
  }
  const refusal = refuse(state.supported, request, body as Question)
  if (refusal !== null) sendJson(response, refusal.status, { error: { message: refusal.message, type: 'invalid' } })
  else answerQuestion(state, body as Question, response)
}

type Question = {
  readonly model: string
  readonly messages: readonly { readonly role: string; readonly content: string }[]
  readonly response_format?: { readonly type: string }
}

function refuse(
  { forms, tokensName }: Supported,
  { url, method, headers }: IncomingMessage,
  question: Question,
): { readonly status: number; readonly message: string } | null {
  if (headers.authorization !== `Bearer ${apiKey}`) return { status: 401, message: 'the API key is wrong' }
  if (method !== 'POST' || url !== '/v1/chat/completions') return { status: 404, message: 'there is no such path' }
  if (question.model !== model) return { status: 404, message: `the model ${question.model} does not exist` }
  const form = question.response_format?.type ?? 'text'
  if (!forms.some((known) => known === form))
    return { status: 400, message: `response_format ${form} is not supported` }
  const other = tokensName === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
  if (!(other in question)) return null
  return { status: 400, message: `Unsupported parameter: '${other}'. Use '${tokensName}' instead.` }
}

function answerQuestion(state: State, question: Question, response: ServerResponse): void {
  const system = question.messages.find(({ role }) => role === 'system')?.content ?? ''
  const messages = question.messages.filter(({ role }) => role !== 'system')
  const userText = messages.at(-1)?.content ?? ''
  const request: FakeAiRequest = { system, messages, userText, body: question, state: 'open' }
  state.requests.push(request)
  response.on('close', () => {
    request.state = response.writableFinished ? 'answered' : 'closed'
  })
  const behaviour = state.waiting.shift() ?? state.decide(request) ?? state.standing
  perform(behaviour, request, response)
}

// ── What it answers ──────────────────────────────────────────────────────────────────────────────

function perform(behaviour: Behaviour, request: FakeAiRequest, response: ServerResponse): void {
  switch (behaviour.kind) {
    case 'draft': {
      const { reply = `You wrote: ${request.userText}`, intent = 'continue', confidence = 0.9 } = behaviour
      complete(response, request, behaviour, { content: JSON.stringify({ reply, intent, confidence }) })
      return
    }
    case 'content':
      complete(response, request, behaviour, { content: behaviour.content })
      return
    case 'message':
      complete(response, request, behaviour, behaviour.message)
      return
    case 'status':
      for (const [name, value] of Object.entries(behaviour.headers ?? {})) response.setHeader(name, value)
      sendJson(response, behaviour.status, {
        error: { message: `status ${behaviour.status}, by order`, type: 'ordered' },
      })
      return
    case 'raw':
      response.writeHead(200, { 'content-type': 'application/json' }).end(behaviour.body)
      return
    case 'never':
      if (behaviour.headers === true) response.writeHead(200, { 'content-type': 'application/json' }).write('{"id":')
      return
    case 'endless':
      writeForEver(response.writeHead(200, { 'content-type': 'application/json' }))
      return
    case 'dropped':
      response.destroy()
      return
  }
}

function complete(
  response: ServerResponse,
  request: FakeAiRequest,
  { delayMs = 0, usage, ...behaviour }: Timing & { readonly finishReason?: string },
  message: object,
): void {
  const written = JSON.stringify(message).length
  const counted = { prompt_tokens: toTokens(JSON.stringify(request.body).length), completion_tokens: toTokens(written) }
  const { finishReason = 'stop' } = behaviour
  const answer = {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason }],
    ...(usage !== null && { usage: usage ?? counted }),
  }
  if (delayMs === 0) sendJson(response, 200, answer)
  else {
    const timer = setTimeout(() => sendJson(response, 200, answer), delayMs)
    response.on('close', () => clearTimeout(timer))
  }
}

function toTokens(characters: number): number {
  return Math.ceil(characters / 4)
}

function writeForEver(response: ServerResponse): void {
  const write = (): void => {
    while (!response.destroyed && response.write(' '.repeat(16_384))) continue
  }
  response.on('drain', write)
  write()
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

// ── Control over HTTP ────────────────────────────────────────────────────────────────────────────

function control(state: State, order: string, body: unknown, response: ServerResponse): void {
  switch (order) {
    case 'PUT /fake/answer':
      state.standing = body as Behaviour
      break
    case 'POST /fake/next':
      state.waiting.push(...(body as readonly Behaviour[]))
      break
    case 'PUT /fake/script': {
      const rules = body as readonly { readonly when: string; readonly answer: Behaviour }[]
      state.decide = ({ userText }) => rules.find(({ when }) => userText.includes(when))?.answer ?? null
      break
    }
    case 'GET /fake/requests':
      sendJson(response, 200, { items: state.requests })
      return
    case 'DELETE /fake/requests':
      state.requests.length = 0
      break
    default:
      sendJson(response, 404, { error: { message: `there is no ${order}` } })
      return
  }
  sendJson(response, 200, {})
}

// ── The worst that a model can write ─────────────────────────────────────────────────────────────

function toContent(value: unknown): Behaviour {
  return { kind: 'content', content: JSON.stringify(value) }
}

const good = { reply: 'All is well.', intent: 'continue', confidence: 0.9 }

/** None of these is a draft. */
export const badAnswers: { readonly [name: string]: Behaviour } = {
  'an empty text': { kind: 'content', content: '' },
  'plain text': { kind: 'content', content: 'Of course! How can I help?' },
  'text around the object': { kind: 'content', content: `Here you are: ${JSON.stringify(good)}` },
  'two objects': { kind: 'content', content: `${JSON.stringify(good)}\n${JSON.stringify(good)}` },
  'a list': toContent([good]),
  null: toContent(null),
  'an unknown intent': toContent({ ...good, intent: 'refund' }),
  'an intent of the prototype': toContent({ ...good, intent: 'constructor' }),
  'a status in place of an intent': toContent({ ...good, intent: 'USER_CLOSED' }),
  'no intent': toContent({ reply: 'All is well.', confidence: 0.9 }),
  'extra keys': toContent({ ...good, to: 'whatsapp:+15005550001', tenantId: 'another' }),
  'a __proto__ key': { kind: 'content', content: `{"__proto__": {"isAdmin": true}, ${JSON.stringify(good).slice(1)}` },
  'a __proto__ in place of the reply': {
    kind: 'content',
    content: '{"__proto__": {"reply": "inherited"}, "intent": "continue", "confidence": 1}',
  },
  'a constructor key': toContent({ ...good, constructor: { prototype: { isAdmin: true } } }),
  'a confidence of NaN': { kind: 'content', content: '{"reply": "x", "intent": "close", "confidence": NaN}' },
  'a confidence as text': toContent({ ...good, confidence: '1' }),
  'a confidence of 7': toContent({ ...good, confidence: 7 }),
  'an endless confidence': { kind: 'content', content: '{"reply": "x", "intent": "close", "confidence": 1e999}' },
  'an empty reply': toContent({ ...good, reply: ' \n ' }),
  'a reply that is an object': toContent({ ...good, reply: { text: 'hello' } }),
  'a reply of 5,000 characters': toContent({ ...good, reply: 'x'.repeat(5_000) }),
  'a reply of 1 MB': toContent({ ...good, reply: 'x'.repeat(1_000_000) }),
  'a NUL in the reply': toContent({ ...good, reply: 'a\u0000b' }),
  'half a character in the reply': {
    kind: 'content',
    content: '{"reply": "a\\ud800b", "intent": "continue", "confidence": 1}',
  },
  'a terminal escape in the reply': toContent({ ...good, reply: '\u001b[2J gone' }),
  'a link': toContent({ ...good, reply: 'Pay here: https://evil.example.net/pay?for=you' }),
  'a link without a scheme': toContent({ ...good, reply: 'Pay at evil-shop.com please' }),
  'a link in full-width letters': toContent({ ...good, reply: 'Pay at ｅｖｉｌ．com' }),
  'a phone number': toContent({ ...good, reply: 'Call +1 900 555 0199 now' }),
  'a tool call': {
    kind: 'message',
    message: {
      content: null,
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'send_message', arguments: '{"to":"+1"}' } }],
    },
    finishReason: 'tool_calls',
  },
  'a good text and a tool call': {
    kind: 'message',
    message: {
      content: JSON.stringify(good),
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'close_all', arguments: '{}' } }],
    },
  },
  'a tool call as text': toContent({ tool: 'send_message', arguments: { to: 'whatsapp:+15005550001', body: 'hi' } }),
  'a refusal': { kind: 'message', message: { content: null, refusal: 'I cannot help with that.' } },
  'an answer that was cut off': { kind: 'content', content: JSON.stringify(good), finishReason: 'length' },
  'a filtered answer': { kind: 'content', content: JSON.stringify(good), finishReason: 'content_filter' },
  'no JSON': { kind: 'raw', body: '<html><body>502 Bad Gateway</body></html>' },
  'no bytes': { kind: 'raw', body: '' },
  'no choices': { kind: 'raw', body: '{"id": "x", "choices": []}' },
  'another object': { kind: 'raw', body: '{"ok": true}' },
  'a choice without a message': { kind: 'raw', body: '{"choices": [{"index": 0}]}' },
  'an error with status 200': { kind: 'raw', body: '{"error": {"message": "no"}}' },
}

if (import.meta.main) {
  const fake = await startFakeAi()
  process.stdout.write(`${JSON.stringify({ baseUrl: fake.baseUrl, env: fake.env })}\n`)
  process.once('SIGTERM', () => void fake.close())
}
