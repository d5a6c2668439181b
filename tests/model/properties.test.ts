/**
 * What holds for every machine that is walked, in a million random steps: whatever is done to it wherever it stands. Lives
 * are made of a seed and a number, so that one that breaks a rule can be lived again: `RANDOM_SEED=… RANDOM_LIFE=…`.
 */
import { createActor, transition } from 'xstate'
import type { AnyMachineSnapshot } from 'xstate'
import { describe, expect, test } from 'vitest'

import { isClosed } from '../../src/machines/status.ts'
import { sampleAct } from './kit/graph.ts'
import type { Act, Model, Profile } from './kit/model.ts'
import { createTimedSession, isPossible, newSession, stateOf, toConfiguration } from './kit/timed-session.ts'
import type { TimedSession } from './kit/timed-session.ts'
import { toText } from './kit/to-text.ts'
import { models } from './models.ts'

/** Of all machines together. `npm run check` takes fewer. */
const stepsWanted = Number(process.env['RANDOM_STEPS'] ?? 10_000)
const seed = Number(process.env['RANDOM_SEED'] ?? 1)
const onlyLife = process.env['RANDOM_LIFE']
const stepsPerLife = 40
const actsPerMove = 12
/** How often each kind of step is taken from the stored form too; a comparison costs as much as ten steps. */
const twinsPerKind = 6
/** Timers that may fire before a conversation that everybody has left is closed. */
const exitTimersMax = 12

describe.each(Object.entries(models))('the machine %s', (_, model) => {
  test(
    'is total, storable, repeatable, silent after STOP, deaf to late drafts, and ends by time',
    { timeout: 600_000 },
    () => {
      const lives = Math.ceil(stepsWanted / Object.keys(models).length / stepsPerLife)
      const kinds = new Map<string, number>()
      let steps = 0
      for (let life = 0; life < lives; life += 1) {
        if (onlyLife !== undefined && Number(onlyLife) !== life) continue
        try {
          steps += live(model, createRandom(seed * 1_000_003 + life), kinds)
        } catch (error) {
          throw new Error(`life ${life} of RANDOM_SEED=${seed} RANDOM_LIFE=${life}`, { cause: error })
        }
      }
      process.stdout.write(`${model.registration.machine.id}: ${steps} random steps of ${kinds.size} kinds\n`)
      expect(steps).toBe((onlyLife === undefined ? lives : 1) * stepsPerLife)
    },
  )
})

function live(model: Model, random: () => number, kinds: Map<string, number>): number {
  const profile = model.profiles[Math.floor(random() * model.profiles.length)] ?? model.profiles[0]
  if (profile === undefined) throw new Error('the model has no profile')
  const step = createStep(model, profile.name)
  const acts = actsOf(model)
  let session: TimedSession = newSession
  let isOptedOut = false
  for (let taken = 0; taken < stepsPerLife; taken += 1) {
    const { act, move } = choose(acts, session, random)
    const next = step(session, act)
    const consent = act.kind === 'say' ? model.registration.toConsent(toMessage(act), profile) : null
    const isMoved = next.walked.transitions.length > 0
    // It is the host that keeps back what a conversation that was opened after STOP wants to say.
    if (consent === 'given' || (isOptedOut && isOpening(model, profile, session, act))) isOptedOut = false
    if (consent === 'withdrawn' && session.snapshot !== null) isOptedOut = model.isSilentAfterStop
    check(!isOptedOut || next.asked.length === 0, `it speaks after STOP: ${next.asked.join(', ')}`)
    check(next.snapshot === null || next.snapshot.status === 'active', `it ended in ${stateOf(session)} by ${move}`)
    const kind = `${profile.name} ${toConfiguration(model, session)} ${move}`
    const seen = kinds.get(kind) ?? 0
    kinds.set(kind, seen + 1)
    if (seen < twinsPerKind) {
      checkTwin(model, step, session, act, next)
      if (isMoved) checkDeafness(model, next)
    }
    session = next
  }
  checkExit(model, step, session)
  return stepsPerLife
}

// ── Rules ────────────────────────────────────────────────────────────────────────────────────────

type Step = ReturnType<typeof createTimedSession>

/** From the stored form the same step leads to the same snapshot and asks for the same; and again, the same. */
function checkTwin(model: Model, step: Step, session: TimedSession, act: Act, next: TimedSession): void {
  if (session.snapshot === null || next.snapshot === null) return
  const { machine } = model.registration
  const stored = JSON.stringify(machine.getPersistedSnapshot(session.snapshot))
  const restored = createActor(machine, { snapshot: JSON.parse(stored) as never, input: undefined }).getSnapshot()
  for (const snapshot of [restored as AnyMachineSnapshot, session.snapshot]) {
    const twin = step({ ...session, snapshot }, act)
    check(
      twin.snapshot !== null && toText(storedOf(model, twin)) === toText(storedOf(model, next)),
      `${stateOf(session)}: another snapshot`,
    )
    check(toText(twin.asked) === toText(next.asked), `${stateOf(session)}: another effect`)
    check(toText([...twin.timers]) === toText([...next.timers]), `${stateOf(session)}: another timer`)
  }
  const { context } = next.snapshot
  expect(JSON.parse(JSON.stringify(context))).toStrictEqual(context)
}

/** A result that nobody waits for (an older turn's draft) changes nothing and asks for nothing. */
function checkDeafness(model: Model, { snapshot, waitsFor }: TimedSession): void {
  if (snapshot === null || waitsFor.length > 0) return
  const { machine } = model.registration
  for (const childId of invokedIds(model)) {
    for (const late of [
      {
        type: `xstate.done.actor.${childId}`,
        output: { reply: 'late', intent: 'continue', confidence: 1 },
        actorId: childId,
      },
    ]) {
      const [after, actions] = transition(machine, snapshot, late)
      check(
        after === snapshot && actions.length === 0,
        `${stateOf({ ...newSession, snapshot })}: a late result was heard`,
      )
    }
  }
}

function checkExit(model: Model, step: Step, session: TimedSession): void {
  let at = session
  for (let fired = 0; fired < exitTimersMax && isOpen(model, at); fired += 1) {
    check(at.timers.size > 0, `${stateOf(at)} is open and nothing is timed`)
    at = step(at, { kind: 'pass' })
  }
  check(!isOpen(model, at), `${stateOf(at)} does not end by time`)
}

function isOpen({ registration }: Model, { snapshot }: TimedSession): boolean {
  return snapshot !== null && !isClosed(registration.toStatus(snapshot))
}

function isOpening(model: Model, { businessAddress, settings }: Profile, session: TimedSession, act: Act): boolean {
  if (act.kind !== 'say' || isOpen(model, session)) return false
  const { registration } = model
  const { snapshot } = session
  const status = snapshot === null ? null : registration.toStatus(snapshot)
  const previous = status === null ? null : { conversationId: 'previous', status, reason: null }
  return registration.opensOn(toMessage(act), { businessAddress, settings, at: 0, previous })
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken: ${rule}`)
}

// ── Chances ──────────────────────────────────────────────────────────────────────────────────────

type Chance = { readonly move: string; readonly act: Act; readonly of?: string }

const stepsByProfile = new Map<string, Step>()
const actsByModel = new Map<Model, readonly Chance[]>()

function createStep(model: Model, profileName: string): Step {
  const key = `${model.registration.machine.id} ${profileName}`
  const profile = model.profiles.find(({ name }) => name === profileName)
  const step = stepsByProfile.get(key) ?? (profile && createTimedSession(model, profile))
  if (step === undefined) throw new Error(`there is no profile ${profileName}`)
  stepsByProfile.set(key, step)
  return step
}

function actsOf(model: Model): readonly Chance[] {
  const acts =
    actsByModel.get(model) ??
    model.moves.flatMap((move) =>
      Array.from({ length: actsPerMove }, (_, number) => ({
        move: move.name,
        act: sampleAct(move, number),
        ...(move.of !== undefined && { of: move.of }),
      })),
    )
  actsByModel.set(model, acts)
  return acts
}

function choose(acts: readonly Chance[], session: TimedSession, random: () => number): Chance {
  for (;;) {
    const chance = acts[Math.floor(random() * acts.length)]
    if (
      chance !== undefined &&
      isPossible(session, { kind: chance.act.kind, ...(chance.of !== undefined && { of: chance.of }) })
    )
      return chance
  }
}

function toMessage({ text, media = [] }: Extract<Act, { kind: 'say' }>) {
  return { type: 'message.received', messageId: '', body: text, media, at: 0 }
}

function storedOf({ registration }: Model, { snapshot }: TimedSession): unknown {
  return snapshot === null ? null : [snapshot.value, snapshot.context, registration.toStatus(snapshot)]
}

function invokedIds({ registration }: Model): readonly string[] {
  const { idMap } = registration.machine as unknown as {
    readonly idMap: ReadonlyMap<string, { readonly invoke: readonly { readonly id: string }[] }>
  }
  return [...new Set([...idMap.values()].flatMap(({ invoke }) => invoke.map(({ id }) => id)))]
}

/** mulberry32: small, fast, and the same everywhere. */
function createRandom(from: number): () => number {
  let state = from >>> 0
  return () => {
    state = (state + 0x6d_2b_79_f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
