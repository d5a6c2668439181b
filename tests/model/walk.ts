/**
 * `npm run walk`: walks a machine on a running service (or, with `--in-memory`, on a host over memory ports).
 *
 *   npm run walk -- --machine conversation                      all planned paths
 *   npm run walk -- --machine conversation --path pairs-012     one of them
 *   npm run walk -- --machine conversation --seed 5             random walks of a seed
 *   npm run walk -- --machine conversation --seed 5 --walk 17   one of them, shrunk
 *   npm run walk -- --machine conversation --crash              all planned paths over kills, until all are walked
 *   npm run walk -- --machine conversation --write              all planned paths, and stores what they cover
 */
import { parseArgs } from 'node:util'

import { createCoverage, findUncovered, summarize, writeCoverage } from './kit/coverage.ts'
import { crashDuring } from './kit/crashes.ts'
import { createMemoryWalkWorld } from './kit/memory-world.ts'
import type { Model } from './kit/model.ts'
import { toPathWalk } from './kit/path-walk.ts'
import { createPlan } from './kit/plan.ts'
import { shrinkRandomWalk, toRandomWalks } from './kit/random-walks.ts'
import { runWalks } from './kit/run-walks.ts'
import type { RunReport } from './kit/run-walks.ts'
import { openServiceWorld } from './kit/service-world.ts'
import type { ServiceWorld } from './kit/service-world.ts'
import type { Walk } from './kit/walk.ts'
import type { World } from './kit/world.ts'
import { models } from './models.ts'

const { values: options } = parseArgs({
  options: {
    machine: { type: 'string', default: 'conversation' },
    path: { type: 'string' },
    seed: { type: 'string' },
    walk: { type: 'string' },
    walks: { type: 'string', default: '200' },
    'in-memory': { type: 'boolean', default: false },
    crash: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})

const atOnce = 150
const shrinkWithinMs = 120_000
const crashPatienceMs = 300_000

type Opened = (World & { close(): Promise<void> }) | ServiceWorld

const model = models[options.machine]
if (model === undefined) throw new Error(`there is no model of '${options.machine}': ${Object.keys(models).join(', ')}`)
const isRight = await main(model)
process.exit(isRight ? 0 : 1)

async function main(walked: Model): Promise<boolean> {
  const world = await openWorld(walked)
  try {
    return options.seed !== undefined && options.walk !== undefined
      ? await walkAgain(walked, world, Number(options.seed), options.walk)
      : await walkAll(walked, world)
  } finally {
    await world.close()
  }
}

/** Every life of the process ends at a crash point, until the walks are done. */
async function walkOrCrash(world: Opened, walk: () => Promise<RunReport>): Promise<RunReport> {
  if (!options.crash) return walk()
  if (!('restart' in world)) throw new Error('only a process can be killed: --crash needs the running service')
  const { report, crashes } = await crashDuring(world, walk, Infinity)
  console.log(`${crashes.kills} kills: ${JSON.stringify(crashes.byPoint)}`)
  return report
}

async function openWorld(walked: Model): Promise<Opened> {
  if (options['in-memory']) return createMemoryWalkWorld(walked.registration)
  const env = { DUOLOGUE_LEASE_MS: '1500' }
  return openServiceWorld({ models: [walked], ...(options.crash && { env, patienceMs: crashPatienceMs }) })
}

async function walkAgain(walked: Model, world: World, seed: number, path: string): Promise<boolean> {
  const { graphs } = createPlan(walked)
  const failure = await shrinkRandomWalk(walked, graphs, world, { seed, path, withinMs: shrinkWithinMs })
  console.log(failure === null ? 'the walk and the machine went the same way' : failure.message)
  return failure === null
}

async function walkAll(walked: Model, world: Opened): Promise<boolean> {
  const startedAt = performance.now()
  const walk = async (): Promise<RunReport> =>
    runWalks(walked, world, chooseWalks(walked), options['in-memory'] ? 1 : atOnce)
  const report = await walkOrCrash(world, walk)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  for (const { message } of report.failures) console.log(`${message}\n`)
  const coverage = createCoverage(walked, report.walks)
  console.log(`${summarize(coverage)}; ${report.failures.length} failed; ${seconds} s`)
  const isWhole = options.path === undefined && options.seed === undefined
  if (!isWhole || report.failures.length > 0) return report.failures.length === 0
  const uncovered = findUncovered(coverage)
  for (const item of uncovered) console.log(`nothing walks ${item}`)
  if (options.write) await writeCoverage(walked, coverage)
  return uncovered.length === 0
}

function chooseWalks(walked: Model): readonly Walk[] {
  const plan = createPlan(walked)
  const { path, seed, walks } = options
  if (seed !== undefined) return toRandomWalks(walked, plan.graphs, { seed: Number(seed), walks: Number(walks) })
  const paths = plan.paths.filter(({ id }) => path === undefined || id === path)
  if (paths.length === 0) throw new Error(`there is no path ${path}`)
  return paths.map((each) => toPathWalk(walked, each))
}
