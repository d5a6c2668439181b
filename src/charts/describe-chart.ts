/** States and transitions in one sentence each: what a screen reader says and a tooltip shows. */
import type { Chart, ChartState, ChartTransition } from './chart.ts'
import { isStop, toEventText } from './layout/wording.ts'
import { toTargetName } from './target-name.ts'

/** By the id of a state or transition; an unknown one is called by its id. */
export function describeChart(chart: Chart): (id: string) => string {
  const sentences = new Map<string, string>()
  for (const state of chart.states) sentences.set(state.id, describeState(state, chart.root))
  for (const transition of chart.transitions) sentences.set(transition.id, describeTransition(transition, chart.root))
  return (id) => sentences.get(id) ?? id
}

function describeState({ id, kind, tags, description }: ChartState, rootId: string): string {
  const kindText = kind === 'atomic' ? '' : `, ${kind}`
  const tagText = tags.length === 0 ? '' : `, ${tags.join(', ')}`
  return `${toTargetName(id, rootId)}${kindText}${tagText}${description === null ? '' : `: ${description}`}`
}

export function describeTransition(transition: ChartTransition, rootId: string): string {
  const { targets, actions } = transition
  const orders = actions.length === 0 ? '' : `, does ${actions.map(({ name }) => name).join(', ')}`
  return `${describeOccasion(transition, rootId)}, ${toGoal(targets, transition, rootId)}${orders}`
}

/** Where and when: `PROGRESS.answering, draftReply is done [isDraft]`. */
export function describeOccasion(transition: ChartTransition, rootId: string): string {
  const { source, guard, kind, name } = transition
  const from = source === rootId ? 'any state' : toTargetName(source, rootId)
  const texts: { readonly [kind in typeof transition.kind]?: string } = {
    done: `${name} is done`,
    error: `${name} fails`,
  }
  const condition = guard === null ? '' : ` [${guard.text}]`
  return `${from}, ${texts[kind] ?? toEventText(transition)}${condition}`
}

function toGoal(targets: readonly string[], transition: ChartTransition, rootId: string): string {
  if (isStop(transition)) return 'stops here'
  if (targets.length === 0) return 'stays'
  if (targets.length === 1 && targets[0] === transition.source) return 'enters itself again'
  return `to ${targets.map((id) => toTargetName(id, rootId)).join(' and ')}`
}
