/**
 * What is doubtful about a chart: things that a reader of the code easily overlooks. A finding that is
 * right as it is stands in the list of allowances with its reason; it is shown, but counts no more.
 */
import { indexChart } from '../chart-index.ts'
import type { ChartIndex } from '../chart-index.ts'
import type { Chart, ChartTransition } from '../chart.ts'
import { toTargetName } from '../target-name.ts'
import { isStop, toEventText } from '../layout/wording.ts'
import { findReached } from './find-reached.ts'

export const lintRules = [
  'unreachable',
  'dead-end',
  'shadowed',
  'no-timeout',
  'undeclared',
  'unused',
  'always-cycle',
  'both-regions',
] as const

export type LintRule = (typeof lintRules)[number]

export type Finding = {
  readonly rule: LintRule
  /** The state or transition that it is about; null when it is about a name that nothing uses. */
  readonly id: string | null
  readonly sentence: string
  /** Why it is right as it is; null when nobody said so. */
  readonly allowedBecause: string | null
}

export type Allowance = {
  readonly rule: LintRule
  /** The id, or the name that a finding without an id is about. */
  readonly about: string
  readonly reason: string
}

export type LintOptions = {
  readonly allowances?: readonly Allowance[]
  /** The events that the machine is written for, where they are known. */
  readonly events?: readonly string[]
}

type Found = { readonly rule: LintRule; readonly id: string | null; readonly about: string; readonly sentence: string }

export function lintChart(chart: Chart, { allowances = [], events }: LintOptions = {}): readonly Finding[] {
  const index = indexChart(chart)
  const found = [
    ...findUnreachable(index),
    ...findDeadEnds(index),
    ...findShadowed(index),
    ...findWithoutTimeout(index),
    ...findUndeclared(chart, events),
    ...findUnused(chart),
    ...findAlwaysCycles(index),
    ...findSharedEvents(index),
  ]
  return found.map(({ rule, id, about, sentence }) => {
    const allowance = allowances.find((one) => one.rule === rule && one.about === about)
    return { rule, id, sentence, allowedBecause: allowance?.reason ?? null }
  })
}

function of(rule: LintRule, id: string, sentence: string): Found {
  return { rule, id, about: id, sentence }
}

function findUnreachable(index: ChartIndex): readonly Found[] {
  const { chart } = index
  const reached = findReached(index)
  return chart.states
    .filter(({ id, parent }) => !reached.has(id) && (parent === null || reached.has(parent)))
    .map(({ id }) => of('unreachable', id, `nothing leads to ${toTargetName(id, chart.root)}`))
}

/** Leaves that no event, timer or result leaves. */
function findDeadEnds(index: ChartIndex): readonly Found[] {
  const { chart } = index
  return leaves(index)
    .filter(({ id }) => !waysOut(index, id).some(({ targets }) => targets.some((target) => target !== id)))
    .map(({ id }) => of('dead-end', id, `nothing leads out of ${toTargetName(id, chart.root)}`))
}

function findWithoutTimeout(index: ChartIndex): readonly Found[] {
  const { chart } = index
  return leaves(index)
    .filter(({ id }) => !waysOut(index, id).some(({ kind, targets }) => kind === 'after' && targets.length > 0))
    .map(({ id }) => of('no-timeout', id, `no timer leads out of ${toTargetName(id, chart.root)}`))
}

function leaves(index: ChartIndex): Chart['states'] {
  return index.chart.states.filter(({ id, kind }) => kind === 'atomic' && index.children(id).length === 0)
}

/** What can be taken there: inner candidates come first, and one without a guard hides the outer ones. */
function waysOut(index: ChartIndex, id: string): readonly ChartTransition[] {
  const taken = new Set<string>()
  return index.lineage(id).flatMap((at) => {
    const free = index.outOf(at).filter(({ event }) => !taken.has(event))
    for (const { event, guard } of free) if (guard === null) taken.add(event)
    return free.filter((transition) => !isStop(transition))
  })
}

function findShadowed({ chart }: ChartIndex): readonly Found[] {
  const before = new Map<string, ChartTransition>()
  const found: Found[] = []
  for (const transition of chart.transitions) {
    const { source, event, guard, id } = transition
    const place = `${source}|${event}`
    const hiding = before.get(`${place}|`) ?? before.get(`${place}|${guard?.text ?? ''}`)
    const name = `${toTargetName(source, chart.root)}, ${toEventText(transition)}`
    if (hiding !== undefined) {
      const why = hiding.guard === null ? 'one before it has no guard' : `one before it asks ${hiding.guard.text} too`
      found.push(of('shadowed', id, `a transition of ${name} is never taken: ${why}`))
    }
    // Code without a name may ask something else each time.
    if (guard?.text !== 'code') before.set(`${place}|${guard?.text ?? ''}`, transition)
  }
  return found
}

function findUndeclared(chart: Chart, events: readonly string[] | undefined): readonly Found[] {
  const { declared, states, transitions, root } = chart
  const isKnown = (event: string): boolean =>
    events === undefined || event.includes('*') || event.startsWith('xstate.') || events.includes(event)
  const ofTransitions = transitions.flatMap((transition) => {
    const { id, kind, event, guard, delay } = transition
    const missing = [
      ...(kind === 'event' && !isKnown(event) ? [`the event ${event}`] : []),
      ...(guard?.names ?? []).filter((name) => !declared.guards.includes(name)).map((name) => `the guard ${name}`),
      ...(delay !== null && !declared.delays.includes(delay.name) && Number.isNaN(Number(delay.name))
        ? [`the delay ${delay.name}`]
        : []),
      ...toMissingActions(transition.actions, declared.actions),
    ]
    return missing.map((what) => of('undeclared', id, `${what} is not declared`))
  })
  const ofStates = states.flatMap(({ id, entry, exit, invocations }) => {
    const actors = invocations.filter(({ source }) => source !== 'code' && !declared.actors.includes(source))
    const missing = [
      ...toMissingActions([...entry, ...exit], declared.actions),
      ...actors.map(({ source }) => `the actor ${source}`),
    ]
    return missing.map((what) => of('undeclared', id, `${what} of ${toTargetName(id, root)} is not declared`))
  })
  return [...ofTransitions, ...ofStates]
}

const builtIn =
  /^(?:code$|assign$|log$|enqueueActions$|sendTo$|forwardTo$|sendParent$|stop child$|(?:raise|cancel|spawn|emit) )/

function toMissingActions(
  actions: readonly { readonly name: string }[],
  declared: readonly string[],
): readonly string[] {
  const missing = actions.filter(({ name }) => !declared.includes(name) && !builtIn.test(name))
  return missing.map(({ name }) => `the action ${name}`)
}

function findUnused({ declared, states, transitions }: Chart): readonly Found[] {
  const actions = [
    ...states.flatMap(({ entry, exit }) => [...entry, ...exit]),
    ...transitions.flatMap((one) => one.actions),
  ]
  const used = {
    guard: new Set(transitions.flatMap(({ guard }) => guard?.names ?? [])),
    action: new Set(actions.map(({ name }) => name)),
    delay: new Set(transitions.flatMap(({ delay }) => delay?.name ?? [])),
    actor: new Set(states.flatMap(({ invocations }) => invocations.map(({ source }) => source))),
  }
  const unused = (what: keyof typeof used, names: readonly string[]): readonly Found[] =>
    names
      .filter((name) => !used[what].has(name))
      .map((name) => ({ rule: 'unused', id: null, about: name, sentence: `nothing uses the ${what} ${name}` }))
  return [
    ...unused('guard', declared.guards),
    ...unused('action', declared.actions),
    ...unused('delay', declared.delays),
    ...unused('actor', declared.actors),
  ]
}

/** `always` that leads back to where it came from: only a guard can end it. */
function findAlwaysCycles(index: ChartIndex): readonly Found[] {
  const { chart } = index
  const always = chart.transitions.filter(
    ({ kind, source }) => kind === 'always' && index.state(source)?.kind !== 'history',
  )
  return always
    .filter((transition) => leadsBack(transition, always, index))
    .map(({ id, source }) => of('always-cycle', id, `always leads ${toTargetName(source, chart.root)} back to itself`))
}

function leadsBack(
  { source, targets }: ChartTransition,
  always: readonly ChartTransition[],
  index: ChartIndex,
): boolean {
  const waiting = [...targets]
  const seen = new Set<string>()
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const active = index.entered(at)
    if (active.has(source)) return true
    if (seen.has(at)) continue
    seen.add(at)
    for (const next of always) if (active.has(next.source)) waiting.push(...next.targets)
  }
  return false
}

function findSharedEvents(index: ChartIndex): readonly Found[] {
  const { chart } = index
  return chart.states
    .filter(({ kind }) => kind === 'parallel')
    .flatMap(({ id }) => {
      const regions = index.children(id).map((region) => ({ key: region.key, events: eventsWithin(index, region.id) }))
      return regions.flatMap(({ key, events }, place) =>
        regions
          .slice(place + 1)
          .flatMap((other) =>
            [...events]
              .filter((event) => other.events.has(event))
              .map((event) =>
                of('both-regions', id, `${key} and ${other.key} of ${toTargetName(id, chart.root)} both take ${event}`),
              ),
          ),
      )
    })
}

function eventsWithin(index: ChartIndex, id: string): ReadonlySet<string> {
  const own = index
    .outOf(id)
    .filter(({ kind }) => kind === 'event')
    .map(({ event }) => event)
  const inner = index.children(id).flatMap((child) => [...eventsWithin(index, child.id)])
  return new Set([...own, ...inner])
}
