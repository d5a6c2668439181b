/**
 * The drawing that needs no layout engine: boxes in their nesting, one below the other, every transition
 * a row of its state. It is what a reader gets when the engine fails, so it must never fail itself.
 */
import type { Chart } from '../chart.ts'
import type { Box, Picture } from '../picture.ts'
import { shiftEntries, titleHeight } from './elk-graph.ts'
import { toPlan } from './plan.ts'
import type { PlannedBox, PlanOptions } from './plan.ts'

const margin = 24
const indent = 24
const gap = 14

export function toTreePicture(chart: Chart, title: string, note: string, options: PlanOptions = {}): Picture {
  const plan = toPlan(chart, { ...options, allAsRows: true })
  const rootRows = shiftEntries(plan.rootRows, { x: margin, y: margin + titleHeight })
  const last = rootRows.at(-1)
  const boxes: Box[] = []
  const place = (parent: string, x: number, top: number, depth: number): number => {
    let y = top
    for (const box of plan.boxes.filter((candidate) => candidate.parent === parent)) {
      const index = boxes.push(toBox(box, x, y, depth)) - 1
      const own = boxes[index] as Box
      const below = place(box.stateId, x + indent, y + box.header + gap, depth + 1)
      const hasChildren = index < boxes.length - 1
      const inner = boxes.slice(index + 1).filter(({ depth: inside }) => inside > depth)
      const right = Math.max(x + own.width, ...inner.map((child) => child.x + child.width + gap))
      const height = hasChildren ? below - y : own.height
      boxes[index] = { ...own, width: right - x, height }
      y += height + gap
    }
    return y
  }
  const top = last === undefined ? margin + titleHeight : last.y + last.height + margin
  const bottom = place(plan.rootId, margin, top, 0)
  const width = Math.max(280, ...[...boxes, ...rootRows].map((area) => area.x + area.width)) + margin
  return { title, width: Math.ceil(width), height: Math.ceil(bottom + margin), rootRows, boxes, arrows: [], note }
}

function toBox({ parent: _parent, header: _header, ...box }: PlannedBox, x: number, y: number, depth: number): Box {
  return { ...box, x, y, depth, rows: shiftEntries(box.rows, { x, y }) }
}
