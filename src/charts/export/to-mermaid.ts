/**
 * A chart as Mermaid text (`stateDiagram-v2`), for places that draw nothing else. Mermaid knows no root
 * transitions, so those start at a state called "any state"; rows of a state become its description.
 */
import { indexChart } from '../chart-index.ts'
import type { ChartIndex } from '../chart-index.ts'
import type { Chart, ChartState, ChartTransition } from '../chart.ts'
import { isStop, toEventText } from '../layout/wording.ts'
import { toTargetName } from '../target-name.ts'

const anyState = 'any_state'

type Writing = { readonly index: ChartIndex; readonly names: ReadonlyMap<string, string>; readonly lines: string[] }

export function toMermaid(chart: Chart): string {
  const index = indexChart(chart)
  const names = new Map(
    chart.states.map(({ id }, place) => [id, `s${place}_${id.split('.').at(-1) ?? ''}`.replaceAll(/\W/gu, '_')]),
  )
  names.set(chart.root, anyState)
  const writing: Writing = {
    index,
    names,
    lines: ['stateDiagram-v2', `  %% ${toText(`${chart.machine} ${chart.version}`)}`],
  }
  const root = index.state(chart.root)
  if (root !== undefined) writeInside(root, writing, '  ')
  if (index.outOf(chart.root).length > 0) writing.lines.push(`  state "any state" as ${anyState}`)
  for (const transition of chart.transitions) writeTransition(transition, writing)
  return `${writing.lines.join('\n')}\n`
}

function writeInside(state: ChartState, writing: Writing, indent: string): void {
  const { index, names, lines } = writing
  if (state.initial !== null) lines.push(`${indent}[*] --> ${names.get(state.initial) ?? ''}`)
  for (const [place, child] of index.children(state.id).entries()) {
    if (state.kind === 'parallel' && place > 0) lines.push(`${indent}--`)
    const name = names.get(child.id) ?? ''
    const title = child.kind === 'history' ? `${child.key} (${child.history ?? 'shallow'} history)` : child.key
    lines.push(`${indent}state "${toText(title)}" as ${name}`)
    if (index.children(child.id).length > 0) {
      lines.push(`${indent}state ${name} {`)
      writeInside(child, writing, `${indent}  `)
      lines.push(`${indent}}`)
    }
    if (child.kind === 'final') lines.push(`${indent}${name} --> [*]`)
  }
}

function writeTransition(transition: ChartTransition, { index, names, lines }: Writing): void {
  const { source, targets, guard, actions } = transition
  const [target] = targets
  const condition = guard === null ? '' : ` [${guard.text}]`
  const orders = actions.length === 0 ? '' : ` / ${actions.map(({ name }) => name).join(', ')}`
  const more = targets.slice(1).map((id) => toTargetName(id, index.chart.root))
  const others = more.length === 0 ? '' : ` and into ${more.join(', ')}`
  const text = toText(`${toEventText(transition)}${condition}${orders}${others}`)
  const from = names.get(source) ?? ''
  if (target !== undefined) lines.push(`  ${from} --> ${names.get(target) ?? ''} : ${text}`)
  else lines.push(`  ${from} --> ${from} : ${text}${isStop(transition) ? ' (stops here)' : ' (stays)'}`)
}

/** What has a meaning of its own in Mermaid is left out or written in other signs. */
function toText(text: string): string {
  return text
    .replaceAll(/\s+/gu, ' ')
    .replaceAll('"', "'")
    .replaceAll(';', ',')
    .replaceAll('%%', '%')
    .replaceAll('#', '')
}
