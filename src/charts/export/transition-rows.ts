/** A chart as a table: one row for each transition, with all that its picture says. */
import type { Chart, ChartAction } from '../chart.ts'
import { isStop, toEventText } from '../layout/wording.ts'
import { toTargetName } from '../target-name.ts'

export type TransitionRow = {
  readonly id: string
  readonly source: string
  readonly event: string
  readonly guard: string
  readonly actions: string
  readonly target: string
}

export function toTransitionRows(chart: Chart): readonly TransitionRow[] {
  return chart.transitions.map((transition) => {
    const { id, source, targets, guard, actions, kind } = transition
    const words = kind === 'done' ? ' is done' : kind === 'error' ? ' fails' : ''
    const goal = targets.map((target) => toTargetName(target, chart.root)).join(', ')
    return {
      id,
      source: source === chart.root ? 'any state' : toTargetName(source, chart.root),
      event: `${toEventText(transition)}${words}`,
      guard: guard?.text ?? '',
      actions: actions.map(toActionText).join(', '),
      target: goal === '' ? (isStop(transition) ? 'stops here' : 'stays') : goal,
    }
  })
}

export function toActionText({ name, params, isComputed }: ChartAction): string {
  if (isComputed) return `${name}(…)`
  return params === null ? name : `${name} ${JSON.stringify(params)}`
}
