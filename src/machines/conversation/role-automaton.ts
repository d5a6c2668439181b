/**
 * A regular grammar over roles (the parts that phrases play, instead of letters) as an automaton: a state and a
 * role lead to the next state. Its table is worked out as messages need it, and kept: starting costs little,
 * and after the first messages a step is one look-up, whatever the grammar says.
 *
 * A pattern is written like a regular expression with names: `polite* thanks (and? thanks)*`. A name that is
 * defined stands for its pattern, any other is a role.
 */
import { parsePattern } from './role-pattern.ts'
import type { Pattern } from './role-pattern.ts'

export const dead = -1
const unknown = -2

type Definitions = { readonly [name: string]: string }

export class RoleAutomaton {
  /** The roles of the grammar, by name; steps are asked for by these numbers. */
  readonly roleNumbers: ReadonlyMap<string, number>
  private readonly places: Places
  private readonly ends: readonly number[]
  /** A state is every place where the patterns may be at once (the subset construction); here, where roles lead from it. */
  private readonly leads: ReadonlyMap<number, readonly number[]>[] = []
  /** `next[state][role]`, as far as it was worked out. */
  private readonly next: Int16Array[] = []
  private readonly complete: (readonly number[])[] = []
  private readonly stateOf = new Map<string, number>()

  constructor(definitions: Definitions, patterns: readonly string[]) {
    this.places = new Places(definitions)
    const start = this.places.add()
    this.ends = patterns.map((pattern) => this.places.addPattern(parsePattern(pattern), start))
    this.roleNumbers = this.places.roleNumbers
    this.toState([start])
  }

  get statesKnown(): number {
    return this.leads.length
  }

  /** From a state by a role; reading begins in state 0, and `dead` leads nowhere. */
  step(state: number, role: number): number {
    const row = this.next[state]
    if (row === undefined) throw new Error(`the automaton has no state ${state}`)
    const known = row[role] ?? dead
    if (known !== unknown) return known
    const arrived = this.leads[state]?.get(role)
    return (row[role] = arrived === undefined ? dead : this.toState(arrived))
  }

  /** The patterns, by their place in the list, that are complete in a state. */
  completeIn(state: number): readonly number[] {
    return this.complete[state] ?? []
  }

  private toState(arrived: readonly number[]): number {
    const places = this.places.reachFreely(arrived)
    const key = places.join(' ')
    const known = this.stateOf.get(key)
    if (known !== undefined) return known
    this.stateOf.set(key, this.leads.length)
    this.next.push(new Int16Array(this.roleNumbers.size).fill(unknown))
    this.complete.push([...this.ends.keys()].filter((pattern) => places.includes(this.ends[pattern] ?? dead)))
    return this.leads.push(this.places.leadsFrom(places)) - 1
  }
}

type Place = { readonly free: number[]; readonly byRole: { readonly role: number; readonly to: number }[] }

/** The patterns as places with steps between them, free or by a role (Thompson's construction). */
class Places {
  readonly roleNumbers = new Map<string, number>()
  private readonly list: Place[] = []
  private readonly definitions: ReadonlyMap<string, Pattern>

  constructor(definitions: Definitions) {
    this.definitions = new Map(Object.entries(definitions).map(([name, pattern]) => [name, parsePattern(pattern)]))
  }

  add(): number {
    return this.list.push({ free: [], byRole: [] }) - 1
  }

  /** The place where the pattern ends that begins at `from`. */
  addPattern(pattern: Pattern, from: number): number {
    switch (pattern.kind) {
      case 'name':
        return this.addName(pattern.name, from)
      case 'sequence':
        return pattern.parts.reduce((last, part) => this.addPattern(part, last), from)
      case 'choice':
        return this.addChoice(pattern.parts, from)
      case 'repeated':
        return this.addRepeated(pattern, from)
    }
  }

  /** Where one may be without reading a role; only places that lead on by one or end something tell states apart. */
  reachFreely(places: readonly number[]): readonly number[] {
    const reached = new Set(places)
    for (const place of reached) for (const to of this.at(place).free) reached.add(to)
    const isTelling = ({ free, byRole }: Place): boolean => byRole.length > 0 || free.length === 0
    return [...reached].filter((place) => isTelling(this.at(place))).toSorted((a, b) => a - b)
  }

  /** Where each role leads from these places. */
  leadsFrom(places: readonly number[]): ReadonlyMap<number, readonly number[]> {
    const leads = new Map<number, number[]>()
    for (const place of places) {
      for (const { role, to } of this.at(place).byRole) leads.set(role, [...(leads.get(role) ?? []), to])
    }
    return leads
  }

  private addName(name: string, from: number): number {
    const defined = this.definitions.get(name)
    if (defined !== undefined) return this.addPattern(defined, from)
    const role = this.roleNumbers.get(name) ?? this.roleNumbers.size
    this.roleNumbers.set(name, role)
    const to = this.add()
    this.at(from).byRole.push({ role, to })
    return to
  }

  private addChoice(parts: readonly Pattern[], from: number): number {
    const end = this.add()
    for (const part of parts) this.at(this.addPattern(part, from)).free.push(end)
    return end
  }

  /** The repetition has a beginning of its own, so that going round it does not lead back to what stands before. */
  private addRepeated({ part, isOptional, isEndless }: Pattern & { kind: 'repeated' }, before: number): number {
    const from = this.add()
    const to = this.addPattern(part, from)
    const after = this.add()
    this.at(before).free.push(from)
    this.at(to).free.push(after)
    if (isOptional) this.at(from).free.push(after)
    if (isEndless) this.at(to).free.push(from)
    return after
  }

  private at(place: number): Place {
    const found = this.list[place]
    if (found === undefined) throw new Error(`the grammar has no place ${place}`)
    return found
  }
}
