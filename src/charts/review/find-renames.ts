/**
 * Which state of one chart is which of another, so that what was written about it goes along: the same id, or else the
 * one state that came where one went and does nearly the same. Parents are found before what is in them.
 */
import type { Chart, ChartState } from '../chart.ts'

/** Of two states as sets of what they do: half of it has to be the same. */
const likenessMin = 0.5
/** The same name counts as much as a few of its doings. */
const nameWeight = 3

/** Ids of `to` by ids of `from`; what has no counterpart is missing. */
export function findRenames(from: Chart, to: Chart): ReadonlyMap<string, string> {
  const known = new Set(to.states.map(({ id }) => id))
  const before = new Set(from.states.map(({ id }) => id))
  const found = new Map(from.states.filter(({ id }) => known.has(id)).map(({ id }) => [id, id]))
  const come = to.states.filter(({ id }) => !before.has(id))
  const taken = new Set<string>()
  for (const state of from.states.filter(({ id }) => !known.has(id))) {
    const candidates = come
      .filter(({ id, kind }) => !taken.has(id) && kind === state.kind)
      .map((one) => ({ id: one.id, likeness: toLikeness(toTraits(state, from, found), toTraits(one, to, null)) }))
      .toSorted((a, b) => b.likeness - a.likeness)
    const [best, second] = candidates
    if (best === undefined || best.likeness < likenessMin || best.likeness === second?.likeness) continue
    found.set(state.id, best.id)
    taken.add(best.id)
  }
  return found
}

/** `names`: how the states around it are called in the other chart; null: as they are. */
function toTraits(
  state: ChartState,
  chart: Chart,
  names: ReadonlyMap<string, string> | null,
): ReadonlyMap<string, number> {
  const { id, key, parent, entry, exit, invocations, tags, description, initial } = state
  const nameOf = (other: string): string => (other === id ? 'itself' : (names?.get(other) ?? other))
  const traits = new Map<string, number>([[`key ${key}`, nameWeight]])
  const add = (trait: string): void => void traits.set(trait, 1)
  add(`in ${parent === null ? '' : nameOf(parent)}`)
  if (description !== null) add(`says ${description}`)
  if (initial !== null) add(`starts ${initial.slice(id.length)}`)
  for (const { name } of entry) add(`entry ${name}`)
  for (const { name } of exit) add(`exit ${name}`)
  for (const { source } of invocations) add(`runs ${source}`)
  for (const tag of tags) add(`tag ${tag}`)
  for (const { source, targets, kind, name, guard } of chart.transitions) {
    const occasion = `${kind} ${name} ${guard?.text ?? ''}`
    if (source === id) add(`out ${occasion} ${targets.map(nameOf).join()}`)
    else if (targets.includes(id)) add(`from ${nameOf(source)} ${occasion}`)
  }
  return traits
}

function toLikeness(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  let [shared, all] = [0, 0]
  for (const [trait, weight] of one) {
    // A name that is another one is no doing that is missing: renaming is what is looked for.
    if (trait.startsWith('key ') && !other.has(trait)) continue
    all += weight
    if (other.has(trait)) shared += weight
  }
  for (const [trait, weight] of other) if (!one.has(trait) && !trait.startsWith('key ')) all += weight
  return all === 0 ? 0 : shared / all
}
