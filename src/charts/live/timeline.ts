/** One conversation as it went, step by step, made again from its journal. */
import type { Json } from '../../machines/json.ts'

export type TimelineChange = { readonly path: string; readonly was: Json; readonly now: Json }

export type TimelineStep = {
  readonly version: number
  /** False: it could not be run again, and what it did is not known; where it led is what the journal says, outermost. */
  readonly isReplayed: boolean
  readonly at: string
  /** The type of the event that led here. */
  readonly event: string
  /** What the user wrote; null where nobody did, and unless words are told. */
  readonly said: string | null
  /** The chart that took it: `conversation@2`. */
  readonly chart: string
  readonly status: string
  /** Innermost states before and after; empty before the opening. Outermost ones where it was not run again. */
  readonly from: readonly string[]
  readonly to: readonly string[]
  readonly transitions: readonly string[]
  /** What the conversation remembers otherwise than before. */
  readonly changes: readonly TimelineChange[]
  /** Those that are pending after the step, by when they are due. */
  readonly timers: readonly { readonly id: string; readonly dueAt: string }[]
  /** Actors that run after it. */
  readonly running: readonly { readonly id: string; readonly source: string }[]
  /** What was asked for: `sendMessage`, `starts draftReply`. */
  readonly actions: readonly { readonly name: string; readonly params: Json }[]
}

export type Timeline = {
  readonly id: string
  readonly machine: string
  readonly status: string
  readonly steps: readonly TimelineStep[]
  /** Whether running the journal again ends where the conversation is stored. */
  readonly replay:
    | { readonly kind: 'same' }
    | { readonly kind: 'differs'; readonly version: number; readonly reason: string }
  /** Earlier steps that are not told, because there are too many. */
  readonly left: number
  /** Whether what people wrote, and other text, is told. */
  readonly hasWords: boolean
}

const changesMax = 60

/** The leaves that are another; what is new or gone counts as one. */
export function diffContext(was: Json | undefined, now: Json | undefined): readonly TimelineChange[] {
  const found: TimelineChange[] = []
  const walk = (before: Json | undefined, after: Json | undefined, path: string): void => {
    if (found.length >= changesMax || JSON.stringify(before) === JSON.stringify(after)) return
    if (!isObject(before) || !isObject(after)) {
      found.push({ path, was: before ?? null, now: after ?? null })
      return
    }
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)]))
      walk(before[key], after[key], path === '' ? key : `${path}.${key}`)
  }
  walk(was, now, '')
  return found
}

/** Text is told by its length alone: it may be what a user wrote, a name or a number. */
export function maskText(value: Json): Json {
  if (typeof value === 'string') return `text of ${value.length} characters`
  if (Array.isArray(value)) return value.map(maskText)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, maskText(one)]))
}

function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
