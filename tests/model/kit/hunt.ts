/** Walks a machine that is wrong with the oracle of the right one, until a walk tells. */
import { createMemoryWalkWorld } from './memory-world.ts'
import type { Model } from './model.ts'
import type { Mutation } from './mutations.ts'
import { toPathWalk } from './path-walk.ts'
import type { Plan } from './plan.ts'
import { walkPath } from './walk.ts'

export type Caught = { readonly walk: string; readonly message: string }

/** What caught it; null when every walk went well. Walks that pass the mutated place are the first. */
export async function hunt(model: Model, plan: Plan, mutation: Mutation, walksMax = Infinity): Promise<Caught | null> {
  const { registration } = model
  const world = createMemoryWalkWorld({ ...registration, machine: mutation.machine() })
  const passes = ({ takes }: Plan['paths'][number]): boolean =>
    mutation.transition === null
      ? [...takes].some((id) => id.startsWith(`${mutation.state}|`) || id.startsWith(`${mutation.state}.`))
      : takes.has(mutation.transition)
  const paths = [...plan.paths.filter(passes), ...plan.paths.filter((path) => !passes(path))].slice(0, walksMax)
  try {
    for (const path of paths) {
      try {
        await walkPath(model, world, toPathWalk(model, path))
      } catch (error) {
        return { walk: path.id, message: error instanceof Error ? error.message : String(error) }
      }
    }
    return null
  } finally {
    await world.close()
  }
}
