/** A walk as a vitest file: it runs the machine by its pure transition and expects what was seen. */
import type { Choices } from './choosable-machine.ts'
import type { Step } from './steps.ts'
import { walkStartMs } from './walk.ts'
import type { Walk, WalkOptions } from './walk.ts'

export type WalkTestOptions = Pick<WalkOptions, 'steps' | 'toExample'> & {
  readonly title: string
  /** The name in the registry, and the file that exports the registry as seen from the test. */
  readonly machineName: string
  readonly registryPath: string
  readonly input: unknown
}

export function toWalkTest(walked: Walk, options: WalkTestOptions): string {
  const { title, machineName, registryPath, input, steps, toExample } = options
  const lines = steps.flatMap((step, place) => toStepLines(step, walked, place + 1, toExample))
  const start = toActiveText(walked, 0)
  return `${header(machineName, registryPath, input)}
test(${JSON.stringify(title)}, () => {
  begin()
  expectActive(${start})
${lines.map((line) => `  ${line}`).join('\n')}
})
`
}

function toStepLines(
  step: Step,
  { points }: Walk,
  place: number,
  toExample: WalkOptions['toExample'],
): readonly string[] {
  const point = points[place]
  if (point === undefined) return []
  const choices: Choices = step.choices ?? {}
  const answers = Object.keys(choices).length === 0 ? '' : `, ${JSON.stringify(choices)}`
  const act =
    'waitMs' in step
      ? `wait(${step.waitMs}${answers})`
      : `send(${JSON.stringify({ ...toExample(step.event), ...step.payload, type: step.event })}${answers})`
  if (point.outcome === 'failed') return [`expect(() => ${act}).toThrow()`]
  return [act, `expectActive(${toActiveText({ points }, place)})`]
}

function toActiveText({ points }: Pick<Walk, 'points'>, place: number): string {
  return JSON.stringify(points[place]?.active ?? [])
}

/** A test that is read by people: what it needs stands in it, in a few plain functions. */
function header(machineName: string, registryPath: string, input: unknown): string {
  return `import { initialTransition, transition } from 'xstate'
import { expect, test } from 'vitest'

import { registeredMachines } from ${JSON.stringify(registryPath)}

// Guards answer as chosen, else for real. They are exchanged before the first snapshot, which remembers its machine.
let chosen = {}
const plain = registeredMachines[${JSON.stringify(machineName)}].machine
const guards = Object.fromEntries(
  Object.entries(plain.implementations.guards).map(([name, guard]) => [
    name,
    (scope, params) => (Object.hasOwn(chosen, name) ? chosen[name] : guard(scope, params)),
  ]),
)
const machine = plain.provide({ guards })
const startMs = ${walkStartMs}
let now = 0
let snapshot
const timers = new Map()

function begin() {
  const [first, actions] = initialTransition(machine, ${JSON.stringify(input) ?? 'undefined'})
  snapshot = first
  follow(actions)
}

function send(event, choices = {}) {
  take({ ...event, at: startMs + now }, choices)
}

function wait(ms, choices = {}) {
  const until = now + ms
  for (;;) {
    const due = [...timers.values()].toSorted((a, b) => a.dueAt - b.dueAt)[0]
    if (due === undefined || due.dueAt > until) break
    timers.delete(due.id)
    now = due.dueAt
    take(due.event, choices)
  }
  now = until
}

function take(event, choices) {
  chosen = choices
  const [next, actions] = transition(machine, snapshot, event)
  snapshot = next
  follow(actions)
}

function follow(actions) {
  for (const { type, params } of actions) {
    if (type === 'xstate.cancel') timers.delete(params.sendId)
    if (type !== 'xstate.raise' || params.delay === undefined) continue
    timers.delete(params.id)
    timers.set(params.id, { id: params.id, dueAt: now + params.delay, event: params.event })
  }
}

function expectActive(ids) {
  expect(snapshot._nodes.toSorted((a, b) => a.order - b.order).map(({ id }) => id)).toEqual(ids)
}
`
}
