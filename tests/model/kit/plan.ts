/**
 * The paths: as few and as short as a greedy walk finds that together take every transition, both outcomes of every
 * guard and every pair of consecutive transitions through a risky state. The same model gives the same paths.
 */
import { configurationOf, createGraph } from './graph.ts'
import type { Edge, Graph } from './graph.ts'
import type { Model } from './model.ts'
import { toChartParts } from './walked.ts'

export type Path = {
  /** `transitions-007`, `pairs-012`: stable while the machine and its model are. */
  readonly id: string
  readonly profile: string
  /** Names of moves. */
  readonly moves: readonly string[]
  /** The transitions that it takes. */
  readonly takes: ReadonlySet<string>
}

export type Plan = {
  readonly graphs: readonly Graph[]
  readonly paths: readonly Path[]
  /** What the paths walk: transitions, outcomes, pairs, each under its name. */
  readonly items: ReadonlySet<string>
  /** Transitions and outcomes that nothing planned walks, and that the model does not excuse. */
  readonly missing: readonly string[]
}

/** Beyond it a path begins anew, so that one divergence hides little of what comes after it. */
const movesMax = 14

export function createPlan(model: Model): Plan {
  const graphs = model.profiles.map((profile) => createGraph(model, profile))
  const walked = new Set<string>()
  const paths: Path[] = []
  for (const [kind, toItems] of [
    ['transitions', toStepItems],
    ['pairs', (edge: Edge, last: Edge | null) => toPairItems(model, edge, last)],
  ] as const) {
    let number = 0
    for (const graph of graphs) {
      const wanted = new Set(findItems(graph, toItems).filter((item) => !walked.has(item)))
      for (let edges = findPath(graph, wanted, toItems); edges.length > 0; edges = findPath(graph, wanted, toItems)) {
        number += 1
        const id = `${kind}-${String(number).padStart(3, '0')}`
        const takes = new Set(edges.flatMap(({ walked: { transitions } }) => transitions))
        paths.push({ id, profile: graph.profile.name, moves: edges.map(({ move }) => move), takes })
        for (const item of allItems(model, edges)) {
          wanted.delete(item)
          walked.add(item)
        }
      }
    }
  }
  return { graphs, paths, items: walked, missing: findMissing(model, walked) }
}

/** Transitions and outcomes of an edge. */
function toStepItems({ walked }: Edge): readonly string[] {
  return [...walked.transitions, ...walked.outcomes]
}

function toPairItems({ isRisky }: Model, edge: Edge, last: Edge | null): readonly string[] {
  if (last === null) return []
  const [next] = edge.walked.transitions
  const previous = last.walked.transitions.at(-1)
  const isPair = next !== undefined && previous !== undefined && isRisky(stateOfKey(edge.from))
  return isPair ? [toPair(previous, next)] : []
}

export function toPair(previous: string, next: string): string {
  return `${previous} > ${next}`
}

/** A configuration's key begins with its state; see `toConfiguration`. */
function stateOfKey(key: string): string {
  return key.startsWith('[') ? String((JSON.parse(key) as readonly unknown[])[0]) : key
}

function allItems(model: Model, edges: readonly Edge[]): readonly string[] {
  return edges.flatMap((edge, index) => [...toStepItems(edge), ...toPairItems(model, edge, edges[index - 1] ?? null)])
}

type ToItems = (edge: Edge, last: Edge | null) => readonly string[]

function findItems({ configurations }: Graph, toItems: ToItems): readonly string[] {
  const items = new Set<string>()
  const into = new Map<string, Edge[]>()
  for (const { edges } of configurations.values()) {
    for (const edge of edges) into.set(edge.to, [...(into.get(edge.to) ?? []), edge])
  }
  for (const { key, edges } of configurations.values()) {
    for (const edge of edges)
      for (const last of [null, ...(into.get(key) ?? [])]) {
        for (const item of toItems(edge, last)) items.add(item)
      }
  }
  return [...items]
}

/** From the beginning, always to the nearest item that is still wanted; empty when none is left within reach. */
function findPath(graph: Graph, wanted: ReadonlySet<string>, toItems: ToItems): readonly Edge[] {
  const left = new Set(wanted)
  const path: Edge[] = []
  while (left.size > 0) {
    const segment = findNearest(graph, path.at(-1) ?? null, left, toItems)
    if (segment.length === 0 || (path.length > 0 && path.length + segment.length > movesMax)) break
    path.push(...segment)
    for (const [index, edge] of path.entries())
      for (const item of toItems(edge, path[index - 1] ?? null)) left.delete(item)
  }
  return path.length === 0 ? path : [...path, ...findRest(graph, path.at(-1)?.to ?? graph.start)]
}

/** Breadth first; where an edge has just been taken matters, since pairs are wanted too. */
function findNearest(graph: Graph, last: Edge | null, wanted: ReadonlySet<string>, toItems: ToItems): readonly Edge[] {
  let front: readonly (readonly Edge[])[] = [[]]
  const seen = new Set<string>()
  while (front.length > 0) {
    const next: (readonly Edge[])[] = []
    for (const segment of front) {
      const before = segment.at(-1) ?? last
      for (const edge of configurationOf(graph, before?.to ?? graph.start).edges) {
        const longer = [...segment, edge]
        if (toItems(edge, before).some((item) => wanted.has(item))) return longer
        const key = `${edge.to} ${edge.walked.transitions.at(-1) ?? ''}`
        if (seen.has(key)) continue
        seen.add(key)
        next.push(longer)
      }
    }
    front = next
  }
  return []
}

/** A path that ends in the middle of an effect goes on until nothing is under way: the walk leaves nothing behind. */
function findRest(graph: Graph, from: string): readonly Edge[] {
  let front: readonly { readonly key: string; readonly edges: readonly Edge[] }[] = [{ key: from, edges: [] }]
  const seen = new Set<string>()
  while (front.length > 0) {
    const found = front.find(({ key }) => !configurationOf(graph, key).isWaiting)
    if (found !== undefined) return found.edges
    front = front.flatMap(({ key, edges }) =>
      configurationOf(graph, key).edges.flatMap((edge) => {
        if (seen.has(edge.to)) return []
        seen.add(edge.to)
        return [{ key: edge.to, edges: [...edges, edge] }]
      }),
    )
  }
  return []
}

function findMissing(model: Model, walked: ReadonlySet<string>): readonly string[] {
  const { transitions, guarded } = toChartParts(model.registration.machine)
  const outcomes = guarded.flatMap((id) => [`${id} true`, `${id} false`])
  return [...transitions, ...outcomes].filter((item) => !walked.has(item) && findExcuse(model, item) === null)
}

/** Why nothing can walk this transition, or see this outcome of its guard; null when the model does not say. */
export function findExcuse({ unwalked }: Model, item: string): string | null {
  const [, transition = item, outcome] = /^(.*?)(?: (true|false))?$/u.exec(item) ?? []
  const isMeant = (of: boolean | 'taken' | null): boolean => {
    if (of === null) return true
    return of === 'taken' ? outcome !== 'false' : outcome === String(of)
  }
  const found = unwalked.find(({ transitions, outcome: of }) => transitions.test(transition) && isMeant(of))
  return found?.reason ?? null
}
