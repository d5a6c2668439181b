/** Planned paths and random choices as walks: moves become acts, chosen by seeds, so that the same name is the same walk. */
import { configurationOf, sampleAct } from './graph.ts'
import type { Graph } from './graph.ts'
import type { Model, Move, Profile } from './model.ts'
import type { Path } from './plan.ts'
import type { Step, Walk } from './walk.ts'

export function toPathWalk(model: Model, path: Path): Walk {
  const salt = path.id.split('').reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 65_521, 7)
  const steps = path.moves.map((name, index): Step => {
    return { move: name, act: sampleAct(findMove(model, name), salt + index) }
  })
  return { id: path.id, profile: findProfile(model, path.profile), steps, replay: `--path ${path.id}` }
}

/** Each choice is a number: it picks one of the moves that are possible there, and its payload. */
export function toRandomWalk(model: Model, graph: Graph, choices: readonly number[], id: string, replay: string): Walk {
  const steps: Step[] = []
  let at = configurationOf(graph, graph.start)
  for (const choice of choices) {
    const edge = at.edges[choice % at.edges.length]
    if (edge === undefined) break
    steps.push({ move: edge.move, act: sampleAct(findMove(model, edge.move), choice) })
    at = configurationOf(graph, edge.to)
  }
  return { id, profile: graph.profile, steps, replay }
}

export function findMove({ moves }: Model, name: string): Move {
  const move = moves.find((candidate) => candidate.name === name)
  if (move === undefined) throw new Error(`the model has no move '${name}'`)
  return move
}

export function findProfile({ profiles }: Model, name: string): Profile {
  const profile = profiles.find((candidate) => candidate.name === name)
  if (profile === undefined) throw new Error(`the model has no profile '${name}'`)
  return profile
}
