/** Runs one scenario to its end: the troubled time, the healing, perhaps a night of days, and the checks. */
import { checkEverything } from '../checks/final-checks.ts'
import { isSettled, toUnsettled } from '../checks/settled.ts'
import { startsAt } from '../engine/scheduler.ts'
import { act } from './act.ts'
import type { Scenario } from './scenario.ts'
import { World } from './world.ts'
import type { Trace } from './world.ts'

export type Result = {
  readonly violations: readonly string[]
  /** Decisions of the scheduler. */
  readonly steps: number
  /** Committed steps of charts. */
  readonly chartSteps: number
  readonly virtualMs: number
  /** From the healing until nothing was left to do. */
  readonly settledAfterMs: number
  readonly counts: { readonly [kind: string]: number }
  readonly hash: string
}

/** After the last fault everything has settled within this time, and the longest draft twice. */
const settlesWithinMs = 180_000

export async function runScenario(scenario: Scenario, trace: Trace | null = null): Promise<Result> {
  const world = new World(scenario, trace)
  const { scheduler } = world
  for (let index = 0; index < scenario.nodes; index += 1) world.startNode(index)
  for (const action of scenario.actions) {
    scheduler.after(null, action.at, action.kind, () => act(world, action))
  }
  await scheduler.run(startsAt + scenario.lengthMs)
  heal(world)
  const settledAfterMs = await settle(world)
  if (scenario.night !== null && world.history.violations.length === 0) await passNight(world, scenario.night)
  if (world.history.violations.length === 0) {
    const { tables, log, twilio, history, registration, hasPoison } = world
    checkEverything({ tables, log, ledger: twilio.ledger, history, registration, hasPoison })
  }
  return toResult(world, settledAfterMs)
}

function heal(world: World): void {
  world.faults.heal()
  world.server.isDown = false
  world.log.isDown = false
  world.log.held.clear()
  for (const made of world.nodes) {
    if (made === null) continue
    Object.assign(made.owner, { isCutFromLog: false, isCutFromStore: false, slowMs: 0 })
    made.owner.pausedUntil = Math.min(made.owner.pausedUntil, world.scheduler.now)
  }
  world.log.wakeReaders()
}

async function settle(world: World): Promise<number> {
  const { scheduler, scenario, history } = world
  const since = scheduler.now
  const { answeringMs } = scenario.settings
  const within = settlesWithinMs + 2 * (typeof answeringMs === 'number' ? answeringMs : 60_000)
  const hasSettled = await scheduler.run(since + within, () => history.violations.length > 0 || isSettled(world))
  if (!hasSettled) history.wrong('I12', `not settled after ${within / 1_000} s: ${toUnsettled(world).join('; ')}`)
  return scheduler.now - since
}

/** All nodes stop cleanly, days pass, Twilio delivers some messages once more, and all begin again. */
async function passNight(world: World, night: NonNullable<Scenario['night']>): Promise<void> {
  const { scheduler, faults, scenario } = world
  faults.count('everything-down-for-days')
  let stopped = 0
  const nodes = world.nodes.filter((made) => made !== null)
  for (const made of nodes) void world.stop(made).then(() => (stopped += 1))
  await scheduler.run(scheduler.now + 60_000, () => stopped === nodes.length)
  if (stopped < nodes.length)
    world.history.wrong('STOPS', `${nodes.length - stopped} nodes did not stop within a minute`)
  scheduler.now += night.days * 24 * 3_600_000
  for (const action of scenario.actions) {
    if (action.kind !== 'message' || !night.retried.includes(action.id)) continue
    faults.count('late-retry')
    world.receive(action.user, action.id, action.body)
  }
  for (let index = 0; index < scenario.nodes; index += 1) world.startNode(index)
  await settle(world)
}

function toResult(world: World, settledAfterMs: number): Result {
  const { scheduler, tables, twilio, history, faults } = world
  let chartSteps = 0
  let hash = scheduler.hash
  for (const { hash: link, version } of tables.conversations.values()) {
    chartSteps += version
    hash = (Math.imul(hash, 31) + Number.parseInt(link.slice(0, 8), 16)) >>> 0
  }
  faults.count('outcome sends', twilio.ledger.length)
  return {
    violations: history.violations,
    steps: scheduler.steps,
    chartSteps,
    virtualMs: scheduler.now - startsAt,
    settledAfterMs,
    counts: Object.fromEntries(faults.counts),
    hash: `${hash.toString(16)}-${scheduler.steps}-${tables.effects.size}-${twilio.ledger.length}`,
  }
}
