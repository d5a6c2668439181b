/**
 * The configurations that a profile's sessions can get into, and the moves that lead from one to the next: the
 * adjacency map of `xstate/graph` over timed sessions. (Its `createTestModel` refuses machines with `after` and
 * `invoke`, so the paths and the runner are our own.)
 */
import fc from 'fast-check'
import type { AnyActorLogic } from 'xstate'
import { getAdjacencyMap } from 'xstate/graph'

import type { Act, Model, Move, Profile } from './model.ts'
import { createTimedSession, isPossible, newSession, stateOf, toConfiguration } from './timed-session.ts'
import type { TimedSession } from './timed-session.ts'
import type { Walked } from './walked.ts'

export type Edge = {
  readonly move: string
  readonly from: string
  readonly to: string
  readonly walked: Walked
}

export type Configuration = {
  readonly key: string
  readonly state: string
  readonly isWaiting: boolean
  readonly edges: readonly Edge[]
}

export type Graph = {
  readonly profile: Profile
  readonly start: string
  readonly configurations: ReadonlyMap<string, Configuration>
}

/** The map's entries, whose types are lost with the logic's. */
type Led = { readonly [event: string]: { readonly event: { readonly type: string }; readonly state: unknown } }

/** More is a `keep` that lets through what has no end. */
const configurationsMax = 20_000

export function createGraph(model: Model, profile: Profile): Graph {
  const step = createTimedSession(model, profile)
  const examples = new Map(model.moves.map((move) => [move.name, sampleAct(move, 0)]))
  // The graph functions want snapshots; a timed session is one with a status.
  const logic = {
    transition: (session: TimedSession, { type }: { readonly type: string }) =>
      step(session, exampleOf(examples, type)),
    getInitialSnapshot: () => newSession,
    getPersistedSnapshot: (session: TimedSession) => session,
  }
  const adjacency = getAdjacencyMap(logic as unknown as AnyActorLogic, {
    events: ((session: TimedSession) =>
      model.moves.filter((move) => isPossible(session, move)).map(({ name }) => ({ type: name }))) as never,
    serializeState: ((session: TimedSession) => toConfiguration(model, session)) as never,
    limit: configurationsMax * model.moves.length,
  })
  const configurations = new Map<string, Configuration>()
  for (const [key, { state, transitions }] of Object.entries(adjacency)) {
    const session = state as unknown as TimedSession
    const edges = Object.values(transitions as Led).map(({ event, state: next }): Edge => {
      const led = next as TimedSession
      return { move: event.type, from: key, to: toConfiguration(model, led), walked: led.walked }
    })
    configurations.set(key, { key, state: stateOf(session), isWaiting: session.waitsFor.length > 0, edges })
  }
  return { profile, start: toConfiguration(model, newSession), configurations }
}

export function configurationOf({ configurations }: Graph, key: string): Configuration {
  const configuration = configurations.get(key)
  if (configuration === undefined) throw new Error(`there is no configuration ${key}`)
  return configuration
}

/** The same seed gives the same act. */
export function sampleAct({ acts }: Pick<Move, 'acts'>, seed: number): Act {
  const [act] = fc.sample(acts, { seed, numRuns: 1 })
  if (act === undefined) throw new Error('a move has no act')
  return act
}

function exampleOf(examples: ReadonlyMap<string, Act>, move: string): Act {
  const act = examples.get(move)
  if (act === undefined) throw new Error(`there is no move '${move}'`)
  return act
}
