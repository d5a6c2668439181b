/**
 * What version 3 of the chart keeps more than version 2, for voice messages and for rates. Every state of version 2 is
 * one of version 3. A turn that was under way had its attachments named by the assistant's prompt; they are no voices
 * here, so nothing of it is heard now that was not before.
 */
import type { Json, JsonObject } from '../json.ts'
import type { PersistedSnapshot } from '../registry.ts'
import { defaultRateLimits, noRate } from './rate.ts'
import { defaultSettings } from './settings.ts'

export function addMediaAndRates(snapshot: PersistedSnapshot): PersistedSnapshot {
  const { context } = snapshot
  const turn = context['turn'] as JsonObject
  const messages = (turn['messages'] as readonly JsonObject[]).map((message): Json => ({
    ...message,
    notes: toNotes(message),
    voices: [],
  }))
  const { transcribingMs } = defaultSettings
  return {
    ...snapshot,
    context: {
      ...context,
      settings: { ...(context['settings'] as JsonObject), transcribingMs },
      limits: defaultRateLimits,
      rate: noRate,
      turn: { ...turn, hearingFailures: 0, messages },
    },
  }
}

function toNotes({ media }: JsonObject): readonly string[] {
  return (media as readonly JsonObject[]).map(({ contentType }) => `[attached: ${toText(contentType).slice(0, 80)}]`)
}

function toText(value: Json | undefined): string {
  return typeof value === 'string' ? value : ''
}
