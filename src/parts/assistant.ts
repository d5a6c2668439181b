/** The assistant of a deployment: the model that the settings name, or the scripted one, which needs no network. */
import type { EffectPerformer, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import { createScriptedAssistant } from '../infra/ai/scripted-assistant.ts'
import { processClock } from '../infra/process/clock.ts'
import type { DatabasePart } from './database.ts'

export type AssistantPart = { readonly performer: EffectPerformer; readonly description: string }

const scriptedLatencyMs = 300

export async function openAssistant(
  { ai }: Pick<Config, 'ai'>,
  { repository, assistantUsage }: Pick<DatabasePart, 'repository' | 'assistantUsage'>,
  telemetry: Telemetry,
): Promise<AssistantPart> {
  if (ai === null) {
    const performer = createScriptedAssistant({ latencyMs: scriptedLatencyMs, clock: processClock })
    return { performer, description: 'scripted, needs no network' }
  }
  // The SDK is much code: only a start that uses it reads it in.
  const [{ createChatEndpoint }, { createModelAssistant }] = await Promise.all([
    import('../infra/ai/chat-endpoint.ts'),
    import('../infra/ai/model-assistant.ts'),
  ])
  const performer = createModelAssistant({
    endpoint: createChatEndpoint(ai),
    store: repository,
    ledger: assistantUsage,
    clock: processClock,
    telemetry,
  })
  return { performer, description: describeModel(ai) }
}

/** Without what may be secret in a URL. */
export function describeModel({ baseUrl, model }: NonNullable<Config['ai']>): string {
  const { host, pathname } = new URL(baseUrl)
  return `${model} at ${host}${pathname === '/' ? '' : pathname}`
}
