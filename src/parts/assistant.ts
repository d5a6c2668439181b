/** The assistant of a deployment: the model that the settings name, or the scripted one, which needs no network. */
import type { EffectPerformer, Telemetry } from '../actors/ports.ts'
import type { Config } from '../config.ts'
import type { MediaOfAccounts } from '../actors/media-fetcher.ts'
import { createTranscribeEndpoint } from '../infra/ai/transcribe-endpoint.ts'
import { createTranscriber } from '../infra/ai/transcriber.ts'
import { createScriptedAssistant } from '../infra/ai/scripted-assistant.ts'
import { processClock } from '../infra/process/clock.ts'
import type { DatabasePart } from './database.ts'

export type AssistantPart = {
  readonly performer: EffectPerformer
  /** Reads voice messages. */
  readonly transcriber: EffectPerformer
  readonly description: string
}

const scriptedLatencyMs = 300

export async function openAssistant(
  { ai, transcribe }: Pick<Config, 'ai' | 'transcribe'>,
  { repository, assistantUsage }: Pick<DatabasePart, 'repository' | 'assistantUsage'>,
  media: MediaOfAccounts,
  telemetry: Telemetry,
): Promise<AssistantPart> {
  const endpoint = transcribe === null ? null : createTranscribeEndpoint(transcribe)
  const budget = assistantUsage
  const transcriber = createTranscriber({ endpoint, media, budget, clock: processClock, telemetry })
  const hearing = transcribe === null ? '' : `; ${describeModel(transcribe)} reads voice messages`
  if (ai === null) {
    const performer = createScriptedAssistant({ latencyMs: scriptedLatencyMs, clock: processClock })
    return { performer, transcriber, description: `scripted, needs no network${hearing}` }
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
    budget,
    clock: processClock,
    telemetry,
  })
  return { performer, transcriber, description: `${describeModel(ai)}${hearing}` }
}

/** Without what may be secret in a URL. */
export function describeModel({ baseUrl, model }: NonNullable<Config['ai']>): string {
  const { host, pathname } = new URL(baseUrl)
  return `${model} at ${host}${pathname === '/' ? '' : pathname}`
}
