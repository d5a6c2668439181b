/** What XState's actions and guards are called on a chart. Built-in ones are functions with a type of their own. */
import type { Chart, ChartAction } from './chart.ts'

type BuiltIn = {
  readonly type?: string
  readonly event?: { readonly type?: string } | ((...of: never[]) => unknown)
  readonly sendId?: unknown
  readonly src?: unknown
  readonly actorId?: unknown
  readonly name?: string
}

type Guard = NonNullable<Chart['transitions'][number]['guard']>

/** None for the timers that every `after` adds by itself. */
export function toAction(action: unknown): readonly ChartAction[] {
  if (typeof action === 'string') return [{ name: action, params: null, isComputed: false }]
  if (typeof action === 'function') return toBuiltIn(action)
  const { type, params } = action as { readonly type: string; readonly params?: unknown }
  if (typeof params === 'function') return [{ name: type, params: null, isComputed: true }]
  return [{ name: type, params: toJson(params), isComputed: false }]
}

function toBuiltIn(action: BuiltIn): readonly ChartAction[] {
  const of = (name: string): readonly ChartAction[] => [{ name, params: null, isComputed: false }]
  const event = typeof action.event === 'object' ? action.event.type : undefined
  if (action.type === 'xstate.raise') {
    if (event?.startsWith('xstate.after.') === true) return []
    return of(`raise ${event ?? 'code'}`)
  }
  if (action.type === 'xstate.cancel') {
    const { sendId } = action
    if (typeof sendId !== 'string') return of('cancel code')
    return sendId.startsWith('xstate.after.') ? [] : of(`cancel ${sendId}`)
  }
  if (action.type === 'xstate.spawnChild') return of(`spawn ${typeof action.src === 'string' ? action.src : 'code'}`)
  if (action.type === 'xstate.stopChild') return of('stop child')
  if (action.type === 'xstate.emit') return of(`emit ${event ?? 'code'}`)
  if (action.type?.startsWith('xstate.') === true) return of(action.type.slice('xstate.'.length))
  return of(toCodeName(action.name))
}

export function toGuard(guard: unknown): Guard | null {
  if (guard === undefined || guard === null) return null
  if (typeof guard === 'string') return { text: guard, names: [guard] }
  if (typeof guard === 'function') return toComposedGuard(guard)
  const { type, params } = guard as { readonly type: string; readonly params?: unknown }
  const hasParams = params !== undefined && typeof params !== 'function'
  return { text: hasParams ? `${type} ${JSON.stringify(toJson(params))}` : type, names: [type] }
}

type ComposedGuard = {
  readonly name: string
  readonly check?: unknown
  readonly guards?: readonly unknown[]
  readonly stateValue?: unknown
}

/** `and`, `or`, `not` and `stateIn` keep what they were made of. */
function toComposedGuard({ name, check, guards, stateValue }: ComposedGuard): Guard {
  if (check === undefined) return { text: toCodeName(name), names: [] }
  if (stateValue !== undefined) return { text: `in ${toStateText(stateValue)}`, names: [] }
  const parts = (guards ?? []).map(toGuard).filter((part) => part !== null)
  const names = parts.flatMap((part) => part.names)
  const texts = parts.map(({ text }) => (text.includes(' ') ? `(${text})` : text))
  return { text: name === 'not' ? `not ${texts[0] ?? ''}` : texts.join(` ${name} `), names }
}

function toStateText(value: unknown): string {
  if (typeof value === 'string') return value.replace(/^#/, '')
  return Object.entries(value as object)
    .map(([key, below]) => `${key}.${toStateText(below)}`)
    .join(' and ')
}

/** A function that was written in place has no name, or that of the field it was written in. */
function toCodeName(name: string | undefined): string {
  const nameless = ['', 'guard', 'actions', 'entry', 'exit', 'anonymous', 'cond']
  return name === undefined || nameless.includes(name) ? 'code' : name
}

function toJson(value: unknown): ChartAction['params'] {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value) ?? 'null') as ChartAction['params'])
}
