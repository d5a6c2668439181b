/**
 * The host lint's rules about states: a conversation must always have a way on, must come to rest after every event,
 * and must not end as XState ends a machine.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

import { isBuiltIn, toImplementation, toLine, toTransitions } from './chart-parts.ts'
import type { ChartParts } from './chart-parts.ts'
import type { Remark } from './host-lint.ts'

const closedTag = 'closed'

export function lintStates(machine: AnyStateMachine, parts: ChartParts): Remark[] {
  return [
    ...parts.nodes.flatMap((node) => lintWayOut(node)),
    ...parts.nodes.flatMap((node) => lintFinal(node)),
    ...lintAlways(parts),
    ...lintIterations(machine, parts),
  ]
}

function lintWayOut(node: AnyStateNode): Remark[] {
  const line = toLine(node)
  if (node.type !== 'atomic' || line.some(({ tags }) => tags.includes(closedTag))) return []
  const leaves = line.some((each) =>
    toTransitions(each).some((transition) => toTargets(transition).some((target) => target !== node)),
  )
  if (!leaves) {
    const sentence = `nothing leads out of this state: give it a transition, or the tag '${closedTag}'`
    return [{ rule: 'no-exit', where: node.id, sentence }]
  }
  if (line.some((each) => each.after.length > 0) || isBesideTimer(line) || isPassedThrough(line)) return []
  const sentence = `if nothing more happens, a conversation stays here for ever: give it an \`after\`, or the tag '${closedTag}'`
  return [{ rule: 'no-timer', where: node.id, sentence }]
}

/** `always` without a guard: nothing ever stays. */
function isPassedThrough(line: readonly AnyStateNode[]): boolean {
  return line.some(({ always = [] }) => always.some(({ guard }) => guard === undefined))
}

/** Regions of a parallel state are left together. */
function isBesideTimer(line: readonly AnyStateNode[]): boolean {
  return line.some(({ parent }) => {
    if (parent?.type !== 'parallel') return false
    return Object.values(parent.states as { readonly [key: string]: AnyStateNode }).some((region) => hasTimer(region))
  })
}

function hasTimer(node: AnyStateNode): boolean {
  const inner = Object.values(node.states as { readonly [key: string]: AnyStateNode })
  return node.after.length > 0 || inner.some((each) => hasTimer(each))
}

/** A final state inside is how a compound state is done; one at the top ends the machine, which then takes nothing. */
function lintFinal(node: AnyStateNode): Remark[] {
  if (node.type !== 'final') return []
  if (node.ownEvents.length > 0) {
    return [{ rule: 'final', where: node.id, sentence: 'a final state takes no events: make it an ordinary state' }]
  }
  const { parent } = node
  const root = parent?.parent
  const isEnd = parent !== undefined && (root === undefined || (root.parent === undefined && root.type === 'parallel'))
  if (!isEnd) return []
  const sentence = `the machine would end here, and an ended machine takes no late delivery or closing: tag the state '${closedTag}' instead`
  return [{ rule: 'final', where: node.id, sentence }]
}

// ── Coming to rest ───────────────────────────────────────────────────────────────────────────────

function lintAlways({ nodes }: ChartParts): Remark[] {
  const next = new Map(nodes.map((node) => [node, toUnguardedTargets(node)]))
  const isCycle = (start: AnyStateNode): boolean => {
    const seen = new Set<AnyStateNode>()
    const waiting = [...(next.get(start) ?? [])]
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node === start) return true
      if (seen.has(node)) continue
      seen.add(node)
      waiting.push(...(next.get(node) ?? []))
    }
    return false
  }
  return nodes
    .filter((node) => isCycle(node))
    .map((node) => {
      const sentence = '`always` without a guard leads back here: the machine would never come to rest'
      return { rule: 'always-cycle', where: node.id, sentence }
    })
}

/** Where `always` certainly leads from here: the target, and the states that are entered with it. */
function toUnguardedTargets(node: AnyStateNode): AnyStateNode[] {
  const certain = (node.always ?? []).filter(({ guard }) => guard === undefined)
  return certain.flatMap((transition) => {
    const targets = toTargets(transition)
    return targets.length === 0 ? [node] : targets.flatMap((target) => toEntered(target))
  })
}

function toEntered(node: AnyStateNode): AnyStateNode[] {
  if (node.type === 'parallel')
    return [node, ...Object.values(node.states as { [key: string]: AnyStateNode }).flatMap((each) => toEntered(each))]
  if (node.type !== 'compound') return [node]
  return [node, ...toTargets(node.initial).flatMap((target) => toEntered(target))]
}

function toTargets(transition: object): readonly AnyStateNode[] {
  return 'target' in transition && Array.isArray(transition.target)
    ? (transition.target as readonly AnyStateNode[])
    : []
}

function lintIterations(machine: AnyStateMachine, { nodes, actions }: ChartParts): Remark[] {
  const { maxIterations } = machine.options as { readonly maxIterations?: number }
  if (Number.isFinite(maxIterations)) return []
  const mayLoop =
    nodes.some(({ always = [] }) => always.length > 0) ||
    actions.some(({ part }) => {
      const implementation = toImplementation(machine, part)
      return (
        isBuiltIn(implementation) && implementation.type === 'xstate.raise' && implementation['delay'] === undefined
      )
    })
  if (!mayLoop) return []
  const sentence =
    'it has `always` or `raise` and no `options: { maxIterations }`: a loop would stop the whole node, not the conversation'
  return [{ rule: 'max-iterations', where: 'options', sentence }]
}
