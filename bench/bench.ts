/**
 * `npm run bench`: Duologue beside the row-lock baseline, in alternating runs on the same machine and the same
 * PostgreSQL, and the heap of a resident session. After every run the database is asked, without Duologue,
 * for every acknowledged message. Ends with 1 when one is missing, repeated or out of order, or a goal is missed.
 */
import { join } from 'node:path'
import { judge } from './goals.ts'
import { measureResidentSessions } from './heap/measure-resident-sessions.ts'
import { describeRequest } from './load/prepare-requests.ts'
import { help, readOptions } from './options.ts'
import type { Options } from './options.ts'
import { toProfileTable } from './report/cpu-profile.ts'
import { describeMachine } from './report/machine.ts'
import { describeSettings, publish } from './report/publish.ts'
import type { Results } from './report/publish.ts'
import { toGoalsTable, toPartsTable, toResidentTable, toRunsTable, toSpeedTable } from './report/tables.ts'
import { runLoad } from './run-load.ts'
import type { LoadName, RunResult } from './run-load.ts'
import { startDuologue } from './stacks/duologue.ts'
import { startBenchPostgres } from './stacks/postgres.ts'
import type { BenchPostgres } from './stacks/postgres.ts'
import { startRowLock } from './stacks/row-lock.ts'
import type { StackName } from './stacks/stack.ts'

type Step = { readonly load: LoadName; readonly stack: StackName }
type Settings = { [name: string]: string }

async function main(parameters: readonly string[]): Promise<number> {
  const options = readOptions(parameters)
  if (options === null) {
    print(help)
    return 0
  }
  const results = await measure(
    options,
    ['npm run bench', ...(parameters.length > 0 ? ['--'] : []), ...parameters].join(' '),
  )
  tell(results)
  const isRight = results.runs.every(({ wrong }) => wrong.length === 0)
  if (isRight && options.isPublished) {
    const files = await publish(results, join(import.meta.dirname, 'results'))
    print(`Written into bench/results: ${files.join(', ')}`)
  }
  return isRight && (!options.hasGoals || results.goals.every(({ isReached }) => isReached)) ? 0 : 1
}

async function measure(options: Options, command: string): Promise<Results> {
  await using opened = new AsyncDisposableStack()
  const postgres = opened.adopt(await startBenchPostgres(), async ({ stop }) => stop())
  endOnSignal(opened)
  const settings: Settings = {}
  for (const [name, value] of Object.entries(postgres.settings)) settings[`PostgreSQL ${name}`] = value
  const at = new Date().toISOString()
  const steps = toSteps(options)
  const names = steps.map(({ load, stack }) => `${stack}/${load}`)
  print(`In this order: ${[...names, ...(options.only.has('heap') ? ['heap'] : [])].join(', ')}`)
  const runs: RunResult[] = []
  for (const step of steps) runs.push(await runStep(step, postgres, options, settings))
  const resident = options.only.has('heap') ? await measureResidentSessions(postgres, options.sessions) : null
  return { at, command, machine: describeMachine(), settings, runs, resident, goals: judge(runs, resident) }
}

function tell({ machine, settings, runs, resident, goals }: Results): void {
  print(`\n${describeSettings({ machine, settings })}\n`)
  if (runs.length > 0) print(`${toRunsTable(runs)}\n\n${toSpeedTable(runs)}\n\n${toPartsTable(runs)}\n`)
  if (resident !== null) print(`${toResidentTable(resident)}\n`)
  if (goals.length > 0) print(`${toGoalsTable(goals)}\n`)
}

/** The stacks take turns, so that a machine that grows slower grows slower for both. */
function toSteps({ only, runs }: Options): readonly Step[] {
  const loads = (['many', 'hot'] as const).filter((load) => only.has(load))
  const stacks = (['duologue', 'row-lock'] as const).filter((stack) => only.has(stack))
  const compared = loads.flatMap((load) =>
    Array.from({ length: runs }, () => stacks.map((stack) => ({ load, stack }))).flat(),
  )
  // The baseline answers nobody: what answering costs is shown beside, without a ratio.
  const answered = only.has('answered')
    ? Array.from({ length: runs }, () => ({ load: 'answered', stack: 'duologue' }))
    : []
  return [...compared, ...(answered as Step[])]
}

async function runStep(
  { load, stack }: Step,
  postgres: BenchPostgres,
  options: Options,
  settings: Settings,
): Promise<RunResult> {
  const result =
    stack === 'duologue'
      ? await runDuologue(load, postgres, options, settings)
      : await runRowLock(load, postgres, options)
  print(toRunsTable([result]).split('\n')[2] ?? '')
  for (const sentence of result.wrong) print(`  ✗ ${sentence}`)
  return result
}

async function runDuologue(
  load: LoadName,
  postgres: BenchPostgres,
  options: Options,
  settings: Settings,
): Promise<RunResult> {
  const { profileFolder } = options
  const stack = await startDuologue(
    postgres,
    profileFolder === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`],
  )
  try {
    settings['nats-server'] = `${stack.nats.version}, sync_interval ${stack.nats.syncInterval}`
    const { contentBytes, requestBytes } = describeRequest(stack.webhookUrl)
    settings['webhook'] = `17 fields, ${contentBytes} bytes of content, ${requestBytes} bytes as sent`
    const result = await runLoad(stack, load, options.seconds)
    if (profileFolder !== null) {
      await stack.stopService()
      print(`\n${toProfileTable(profileFolder)}\n`)
    }
    return result
  } finally {
    await stack.stop()
  }
}

async function runRowLock(load: LoadName, postgres: BenchPostgres, { seconds }: Options): Promise<RunResult> {
  const stack = await startRowLock(postgres)
  try {
    return await runLoad(stack, load, seconds)
  } finally {
    await stack.stop()
  }
}

/** Children end with this process by themselves; PostgreSQL and its folder need a word. */
function endOnSignal(opened: AsyncDisposableStack): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void opened.disposeAsync().finally(() => process.exit(130)))
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`benchmark: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
