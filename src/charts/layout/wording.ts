/** The words on a chart, in lines that are measured: one transition, or one thing that a state does. */
import type { ChartAction, ChartState, ChartTransition } from '../chart.ts'
import type { Sign, TextLine } from '../picture.ts'
import { toDuration } from '../to-duration.ts'
import { toTextWidth } from './text-width.ts'

export const labelFontSize = 11
export const titleFontSize = 12.5

/** Lines are broken at words when they are longer. */
const labelWidthMax = 140
const rowWidthMax = 250
/** What holds in every state stands above the chart, where there is room. */
export const rootRowWidthMax = 560

export type Words = { readonly signs: readonly Sign[]; readonly lines: readonly TextLine[] }

/** `message.received [goesOn] / collect`, in as few lines as fit a label. */
export function toLabelWords(transition: ChartTransition, more: readonly Sign[], names: TargetNames): Words {
  const { guard, actions } = transition
  const event = toEventText(transition)
  const condition = guard === null ? '' : `[${guard.text}]`
  const head = `${event} ${condition}`.trim()
  const isShort = toTextWidth(head, labelFontSize, true) <= labelWidthMax
  const others = transition.targets.slice(1).map(names)
  return {
    signs: [...more, ...toSigns(transition)],
    lines: [
      ...(isShort ? [head] : [event, ...wrap(condition, labelWidthMax, ' ')]).map((text) => toLine(text, true)),
      ...(others.length === 0 ? [] : wrap(`and into ${others.join(', ')}`, labelWidthMax, ', ').map(toPlainLine)),
      ...toActionLines(actions, labelWidthMax),
    ],
  }
}

/** The same in a state's box; with the target when the transition leads into the state itself. */
export function toRowWords(
  transition: ChartTransition,
  more: readonly Sign[],
  names: TargetNames,
  widthMax = rowWidthMax,
): Words {
  const { guard, actions, targets } = transition
  const condition = guard === null ? '' : ` [${guard.text}]`
  const into = targets.filter((id) => id !== transition.source).map(names)
  const goal = into.length === 0 ? '' : ` to ${into.join(', ')}`
  const head = `${toEventText(transition)}${condition}${goal}`
  const stop = isStop(transition) ? ' stops here' : ''
  const orders = toActionText(actions)
  const whole = `${head}${stop}${orders === '' ? '' : ` ${orders}`}`
  const isShort = toTextWidth(whole, labelFontSize, false) <= widthMax
  const lines = isShort ? [whole] : [...wrap(`${head}${stop}`, widthMax, ' '), ...wrap(orders, widthMax, ', ')]
  return { signs: [...more, ...toSigns(transition)], lines: lines.filter((line) => line !== '').map(toPlainLine) }
}

/** What a state does by itself: `entry / endTurn`, `invoke draftReply`. */
export function toStateWords(state: ChartState): readonly Words[] {
  const of = (name: string, actions: readonly ChartAction[]): readonly string[] =>
    actions.length === 0 ? [] : [`${name} ${toActionText(actions)}`]
  const invocations = state.invocations.map(({ id, source }) =>
    id === source ? `invoke ${source}` : `invoke ${source} as ${id}`,
  )
  const texts = [...of('entry', state.entry), ...of('exit', state.exit), ...invocations]
  return texts.map(toNoteWords)
}

export function toNoteWords(text: string): Words {
  return { signs: [], lines: wrap(text, rowWidthMax, ', ').map(toPlainLine) }
}

/** What a target is called from where the transition stands. */
export type TargetNames = (stateId: string) => string

export function toEventText({ kind, name, delay }: ChartTransition): string {
  if (kind === 'after') return `after ${delay?.ms === null || delay === null ? name : toDuration(delay.ms)}`
  return kind === 'snapshot' ? `snapshot of ${name}` : name
}

/** It matches and does nothing, so that nobody further out takes the event. */
export function isStop({ targets, actions, kind }: ChartTransition): boolean {
  return targets.length === 0 && actions.length === 0 && kind !== 'always'
}

function toSigns(transition: ChartTransition): readonly Sign[] {
  const { kind, targets, source } = transition
  const ofKind: readonly Sign[] = kind === 'event' || kind === 'snapshot' ? [] : [kind]
  if (targets.length === 1 && targets[0] === source) return [...ofKind, 'loop']
  return isStop(transition) ? [...ofKind, 'stop'] : ofKind
}

function toActionText(actions: readonly ChartAction[]): string {
  return actions.length === 0 ? '' : `/ ${actions.map(({ name }) => name).join(', ')}`
}

function toActionLines(actions: readonly ChartAction[], widthMax: number): readonly TextLine[] {
  return wrap(toActionText(actions), widthMax, ', ').map(toPlainLine)
}

/** A part that is too long by itself is cut: nothing may leave its pill. */
function wrap(text: string, widthMax: number, separator: string): readonly string[] {
  if (text === '') return []
  const lines: string[] = []
  for (const part of text.split(separator)) {
    const last = lines.at(-1)
    const joined = last === undefined ? part : `${last}${separator}${part}`
    if (last !== undefined && toTextWidth(joined, labelFontSize, true) <= widthMax) lines[lines.length - 1] = joined
    else lines.push(cut(part, widthMax))
  }
  return lines.map((line, place) => (place < lines.length - 1 ? `${line}${separator.trimEnd()}` : line))
}

function cut(text: string, widthMax: number): string {
  if (toTextWidth(text, labelFontSize, true) <= widthMax * 1.5) return text
  let short = text
  while (toTextWidth(`${short}…`, labelFontSize, true) > widthMax * 1.5) short = short.slice(0, -1)
  return `${short}…`
}

function toLine(text: string, isBold: boolean): TextLine {
  return { text, isBold, width: toTextWidth(text, labelFontSize, isBold) }
}

function toPlainLine(text: string): TextLine {
  return toLine(text, false)
}
