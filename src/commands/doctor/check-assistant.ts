/** The assistant: does the endpoint take the key, does it know the model, does it answer in the form of a draft. */
import type { Config } from '../../config.ts'
import type { ChatAnswer, ChatEndpoint } from '../../infra/ai/chat-endpoint.ts'
import { defaultAssistantSettings } from '../../infra/ai/assistant-settings.ts'
import { describeModel } from '../../parts/assistant.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const check = 'assistant'
const answerMs = 20_000

/** Asks one short question, as a conversation would; the endpoint may charge for it. */
export async function checkAssistant({ ai }: Config): Promise<Finding> {
  if (ai === null) return ok(check, 'scripted, needs no network')
  const [{ createChatEndpoint }, { toSystemPrompt }, { readDraft }] = await Promise.all([
    import('../../infra/ai/chat-endpoint.ts'),
    import('../../infra/ai/system-prompt.ts'),
    import('../../infra/ai/read-draft.ts'),
  ])
  const question = { turn: 1, attempt: 1, messages: [], omitted: 0, language: 'en', recovery: null } as const
  const system = toSystemPrompt(question, defaultAssistantSettings)
  const endpoint = createChatEndpoint(ai)
  const startedAt = performance.now()
  const answer = await endpoint.ask(
    { system, messages: [{ role: 'user', content: 'Hello! Are you there?' }] },
    { tokensMax: defaultAssistantSettings.assistantTokensMax, signal: AbortSignal.timeout(answerMs) },
  )
  const where = describeModel(ai)
  if (answer.kind === 'failed') return toFailure(answer, where)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  const draft = readDraft(answer.text, { links: [], phones: [], said: [] })
  if (draft.kind === 'draft') return ok(check, `${where} answers in ${seconds} s (${describeForm(endpoint)})`)
  return warn(check, `${where} answers, but ${draft.message}`, 'try it again; another model may keep to the form')
}

function describeForm(endpoint: ChatEndpoint): string {
  return `asked for ${endpoint.form()}`
}

function toFailure({ code, message }: Extract<ChatAnswer, { kind: 'failed' }>, where: string): Finding {
  const text = `${where}: ${code === 'ended' ? `no answer within ${answerMs / 1_000} s` : message}`
  switch (code) {
    case 'unauthorized':
      return bad(check, text, 'it refuses AI_API_KEY')
    case 'not-found':
      return bad(check, text, 'are AI_BASE_URL (it ends before /chat/completions) and AI_MODEL right?')
    case 'refused':
      return bad(check, text, 'is AI_MODEL a chat model of this endpoint?')
    case 'unreachable':
      return bad(check, text, 'is AI_BASE_URL right?')
    case 'rate-limited':
    case 'unavailable':
    case 'ended':
      return warn(check, text, 'drafts fail while it does not answer, and then a person is called')
    case 'malformed':
    case 'too-long':
    case 'cut-off':
    case 'filtered':
      return warn(check, text, 'does AI_BASE_URL name an OpenAI-compatible endpoint, and AI_MODEL a chat model?')
  }
}
