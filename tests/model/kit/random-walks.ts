/**
 * Random walks: fast-check chooses, the graph says what is possible. Walks of one seed are made beforehand, so that
 * hundreds can be on their way at once; one that fails is shrunk by walking shorter and simpler ones, and its seed and
 * place are enough to walk it again.
 */
import fc from 'fast-check'

import type { Graph } from './graph.ts'
import type { Model } from './model.ts'
import { toRandomWalk } from './path-walk.ts'
import { walkPath } from './walk.ts'
import type { Walk } from './walk.ts'
import type { World } from './world.ts'

export type RandomOptions = { readonly seed: number; readonly walks: number; readonly stepsMax?: number }

type Choices = { readonly profile: number; readonly choices: readonly number[] }

const choice = fc.nat({ max: 999_999 })

function choicesOf(stepsMax: number): fc.Arbitrary<Choices> {
  const choices = fc.array(choice, { minLength: 1, maxLength: stepsMax, size: 'max' })
  return fc.record({ profile: choice, choices })
}

const stepsMaxDefault = 20

export function toRandomWalks(model: Model, graphs: readonly Graph[], options: RandomOptions): readonly Walk[] {
  const { seed, walks, stepsMax = stepsMaxDefault } = options
  return fc
    .sample(choicesOf(stepsMax), { seed, numRuns: walks })
    .map((chosen, place) => toWalk(model, graphs, chosen, `random-${seed}-${place}`, `--seed ${seed} --walk ${place}`))
}

/** Walks it again, and shorter: the shortest way to fail that was found, or null when it does not fail again. */
export async function shrinkRandomWalk(
  model: Model,
  graphs: readonly Graph[],
  world: World,
  {
    seed,
    path,
    stepsMax = stepsMaxDefault,
    withinMs,
  }: Omit<RandomOptions, 'walks'> & {
    readonly path: string
    readonly withinMs: number
  },
): Promise<Error | null> {
  const property = fc.asyncProperty(choicesOf(stepsMax), async (chosen) => {
    const walk = toWalk(model, graphs, chosen, `random-${seed}`, `--seed ${seed} --walk ${path}`)
    await walkPath(model, world, walk)
  })
  const outcome = await fc.check(property, {
    seed,
    path,
    numRuns: 1,
    interruptAfterTimeLimit: withinMs,
    markInterruptAsFailure: false,
  })
  if (!outcome.failed || outcome.counterexample === null) return null
  const [shortest] = outcome.counterexample
  const again = `--seed ${seed} --walk ${outcome.counterexamplePath ?? path}`
  const walk = toWalk(model, graphs, shortest, `random-${seed}`, again)
  try {
    await walkPath(model, world, walk)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
  return outcome.errorInstance instanceof Error ? outcome.errorInstance : new Error('it fails only now and then')
}

function toWalk(
  model: Model,
  graphs: readonly Graph[],
  { profile, choices }: Choices,
  id: string,
  replay: string,
): Walk {
  const graph = graphs[profile % graphs.length]
  if (graph === undefined) throw new Error('the model has no profile')
  return toRandomWalk(model, graph, choices, id, replay)
}
