/**
 * Walks one path: every act is done at a door of the world and to the oracle, and then both are compared. The first
 * difference ends the walk with a `Divergence`, which says how to walk the same way again.
 */
import { replayJournal } from '../../../src/actors/replay.ts'
import { isClosed } from '../../../src/machines/status.ts'
import { findDifferences } from './differences.ts'
import { nameOf } from './model.ts'
import type { Act, Model, Profile } from './model.ts'
import { createOracle, toOperator } from './oracle.ts'
import type { Facts, Oracle } from './oracle.ts'
import { toText } from './to-text.ts'
import type { Walked } from './walked.ts'
import { nothingSeen } from './world.ts'
import type { Seen, Walker, World } from './world.ts'

export type Step = { readonly move: string; readonly act: Act }

export type Walk = {
  readonly id: string
  readonly profile: Profile
  readonly steps: readonly Step[]
  /** How to walk it again: `--path transitions-007`, `--seed 5 --walk 17`. */
  readonly replay: string
}

export type WalkedStep = { readonly move: string; readonly from: string; readonly to: string; readonly walked: Walked }
export type WalkReport = {
  readonly walk: Walk
  readonly user: string
  readonly steps: readonly WalkedStep[]
  /** How many messages the user got. */
  readonly received: number
}

export class Divergence extends Error {
  readonly walk: Walk
  readonly stepIndex: number

  constructor(model: Model, walk: Walk, steps: readonly WalkedStep[], differences: readonly string[]) {
    const way = steps.map(({ move, from, to }, index) => `  ${index + 1}. ${from}: ${move} → ${to}`)
    super(
      [
        `the walk ${walk.id} of ${nameOf(model)} (${walk.profile.name}) and the machine went different ways:`,
        ...way,
        ...differences.map((difference) => `  ≠ ${difference}`),
        `walk it again: npm run walk -- --machine ${nameOf(model)} ${walk.replay}`,
      ].join('\n'),
    )
    this.walk = walk
    this.stepIndex = steps.length - 1
  }
}

/** Real time caught up with a timer before the walk did: nobody is wrong, the walk begins again. */
export class Overtaken extends Error {}

const attemptsMax = 3

export async function walkPath(model: Model, world: World, walk: Walk): Promise<WalkReport> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await walkOnce(model, world, walk)
    } catch (error) {
      if (!(error instanceof Overtaken) || attempt === attemptsMax) throw error
    }
  }
}

async function walkOnce(model: Model, world: World, walk: Walk): Promise<WalkReport> {
  const { registration } = model
  const walker = world.newWalker(walk.profile)
  const oracle = createOracle(registration, walk.profile)
  const steps: WalkedStep[] = []
  let seen = nothingSeen
  try {
    for (const { move, act: planned } of walk.steps) {
      const act = toWalkersAct(planned, walker)
      const from = oracle.state()
      const nextDueAt = oracle.nextDueAt()
      const refusal = act.kind === 'command' ? oracle.refusal(act.event) : ''
      const versionBefore = oracle.views().at(-1)?.version ?? 0
      const situation = { walker, act, before: seen, nextDueAt, openEffect: oracle.openEffect() }
      const receipt = await world.act(situation)
      const before = seen
      seen = await world.observe(walker, receipt)
      const walked = await oracle.take(act, toFacts(before, seen))
      steps.push({ move, from, to: oracle.state(), walked })
      const isTaken = (oracle.views().at(-1)?.version ?? 0) !== versionBefore
      const differences = [
        ...findDifferences(oracle, seen),
        ...(act.kind === 'command' ? findCommandDifferences(before, seen, isTaken, refusal) : []),
        ...(await findOutsideDifferences(world, walker, oracle, seen)),
      ]
      if (differences.length === 0) continue
      if (act.kind !== 'pass' && isOvertaken(nextDueAt, seen)) throw new Overtaken(walk.id)
      throw new Divergence(model, walk, steps, differences)
    }
    const differences = findReplayDifferences(model, seen)
    if (differences.length > 0) throw new Divergence(model, walk, steps, differences)
    return { walk, user: walker.user, steps, received: oracle.sent().length }
  } catch (error) {
    if (error instanceof Divergence || error instanceof Overtaken) throw error
    const next = walk.steps[steps.length]?.move ?? 'the end'
    throw new Divergence(model, walk, steps, [`${next}: ${error instanceof Error ? error.message : String(error)}`])
  } finally {
    oracle.stop()
  }
}

function toWalkersAct(act: Act, { word, voiceUrl }: Walker): Act {
  if (act.kind === 'say') {
    const media = (act.media ?? []).map(({ url, contentType }) => ({
      url: url.replaceAll('{voice}', voiceUrl),
      contentType,
    }))
    return { ...act, text: act.text.replaceAll('{walk}', word), media }
  }
  if (act.kind !== 'result' || act.result.kind !== 'heard') return act
  const text = act.result.text?.replaceAll('{walk}', word) ?? null
  return { ...act, result: { ...act.result, text } }
}

/** The moment is the service's own, and so is the message's id; everything else is the oracle's. */
function toFacts(before: Seen, seen: Seen): Facts {
  const message = seen.inbound.at(-1)
  const entry = seen.journal.at(-1)
  const isNew = entry !== undefined && seen.journal.length > before.journal.length
  const told = isNew ? entry.event['at'] : undefined
  const at = typeof told === 'number' ? told : isNew ? entry.occurredAt : (message?.at ?? 0)
  return { at, messageId: message?.id ?? '' }
}

function isOvertaken(dueAt: number, { clockOffsetMs }: Seen): boolean {
  return dueAt <= Date.now() + clockOffsetMs
}

function findCommandDifferences(before: Seen, seen: Seen, isTaken: boolean, refusal: string): readonly string[] {
  const known = new Set(before.commands.map(({ id }) => id))
  const settled = seen.commands.find(({ id }) => !known.has(id))
  const wanted = isTaken ? 'applied' : `refused: ${refusal}`
  const got = settled?.outcome === 'refused' ? `refused: ${settled.reason}` : settled?.outcome
  return got === wanted ? [] : [`the command was ${got}, the machine says ${wanted}`]
}

async function findOutsideDifferences(
  world: World,
  walker: Walker,
  oracle: Oracle,
  seen: Seen,
): Promise<readonly string[]> {
  const sent = oracle.sent().map(({ body, mediaUrls }) => ({ body, mediaUrls }))
  const received = await world.received(walker, sent.length)
  const differences: string[] = []
  if (toText(received) !== toText(sent)) {
    differences.push(`the user got ${toText(received)}, the machine sent ${toText(sent)}`)
  }
  const current = seen.conversations.at(-1)
  const view = oracle.views().at(-1)
  const api = current === undefined ? null : await world.api(current.id)
  if (api !== null && view !== undefined) {
    const expected = {
      status: view.status,
      version: view.version,
      speaker: view.speaker,
      assignedOperator: toOperator(view.speaker),
      nextTimerAt: current?.nextTimerAt ?? null,
      isClosed: isClosed(view.status),
      optedOut: oracle.optedOut(),
    }
    if (toText(api) !== toText(expected)) differences.push(`the API says ${toText(api)}, not ${toText(expected)}`)
  }
  return differences
}

/** The journal alone gives what is stored, and its chain of hashes is whole. */
function findReplayDifferences({ registration }: Model, { conversations, journal }: Seen): readonly string[] {
  return conversations.flatMap(({ id, version, snapshot, hash }) => {
    const own = journal.filter(({ conversationId }) => conversationId === id)
    const replay = replayJournal(registration, own)
    if (replay.kind === 'differs') return [`the journal differs at version ${replay.version}: ${replay.reason}`]
    const isSame = replay.version === version && replay.hash === hash && toText(replay.snapshot) === toText(snapshot)
    return isSame ? [] : [`the journal of ${id} gives another snapshot than the stored one`]
  })
}
