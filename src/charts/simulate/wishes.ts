/** What a step would do in the world, in words. Timers and raised events are told elsewhere. */
import type { ExecutableActionObject } from 'xstate'

const textMax = 240

export function toWish({ type, params }: ExecutableActionObject): readonly string[] {
  const fields = (params ?? {}) as { readonly [field: string]: unknown }
  switch (type) {
    case 'xstate.raise':
    case 'xstate.cancel':
    case 'xstate.log':
      return []
    case 'xstate.spawnChild':
      return [`start ${String(fields['id'] ?? fields['src'])}`]
    case 'xstate.stopChild':
      return params === undefined ? [] : [`stop ${String(fields['id'])}`]
    default:
      return [`${type.replace(/^xstate\./u, '')}${params === undefined ? '' : ` ${toText(params)}`}`]
  }
}

function toText(params: unknown): string {
  const text = JSON.stringify(params) ?? ''
  return text.length > textMax ? `${text.slice(0, textMax)}…` : text
}
