/** The benchmark's command line. */
import { parseArgs } from 'node:util'

export const kinds = ['duologue', 'row-lock', 'many', 'hot', 'answered', 'heap'] as const
export type Kind = (typeof kinds)[number]

export type Options = {
  readonly seconds: number
  readonly runs: number
  readonly sessions: number
  /** What is measured: stacks, loads, the heap. */
  readonly only: ReadonlySet<Kind>
  /** A missed goal ends it with 1. */
  readonly hasGoals: boolean
  /** Where a CPU profile of the service goes in every run of Duologue. */
  readonly profileFolder: string | null
  /** Complete results are published under `bench/results`. */
  readonly isPublished: boolean
}

export const help = `npm run bench -- [options]

  --seconds <n>   length of one run's load (12)
  --runs <n>      runs of each stack and load, alternating (3)
  --sessions <n>  resident sessions of the heap measurement (20000)
  --only <list>   any of ${kinds.join(', ')}, separated by commas: stacks, loads, heap (all)
  --quick         one run of 3 seconds, 2000 sessions, no goals, nothing published: does it run?
  --no-goals      report only; do not fail when a goal is missed
  --profile <dir> write CPU profiles of the service there, and show where its time went
  --help          this
`

const bounds = { seconds: [1, 120], runs: [1, 20], sessions: [100, 100_000] } as const

/** Throws a sentence when the command line is wrong; null: help was asked for. */
export function readOptions(parameters: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      seconds: { type: 'string' },
      runs: { type: 'string' },
      sessions: { type: 'string' },
      only: { type: 'string' },
      quick: { type: 'boolean', default: false },
      'no-goals': { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const isQuick = values.quick
  const only = readOnly(values.only)
  return {
    seconds: readNumber('seconds', values.seconds, isQuick ? 3 : 12),
    runs: readNumber('runs', values.runs, isQuick ? 1 : 3),
    sessions: readNumber('sessions', values.sessions, isQuick ? 2_000 : 20_000),
    only: only ?? new Set(kinds),
    hasGoals: !isQuick && !values['no-goals'],
    profileFolder: values.profile ?? null,
    isPublished: !isQuick && only === null && values.profile === undefined,
  }
}

function readNumber(name: keyof typeof bounds, value: string | undefined, preset: number): number {
  if (value === undefined) return preset
  const [min, max] = bounds[name]
  if (/^\d{1,6}$/u.test(value) && Number(value) >= min && Number(value) <= max) return Number(value)
  throw new Error(`--${name} is a whole number from ${min} to ${max}`)
}

/** Naming only stacks means all loads, and the other way round; the heap is measured when named, or when nothing is. */
function readOnly(value: string | undefined): ReadonlySet<Kind> | null {
  if (value === undefined) return null
  const named = value.split(',').map((name) => name.trim())
  const chosen = new Set(kinds.filter((kind) => named.includes(kind)))
  if (named.length === 0 || named.some((name) => !kinds.some((kind) => kind === name))) {
    throw new Error(`--only takes any of ${kinds.join(', ')}`)
  }
  const hasStack = chosen.has('duologue') || chosen.has('row-lock')
  const hasLoad = chosen.has('many') || chosen.has('hot') || chosen.has('answered')
  if (hasStack && !hasLoad) chosen.add('many').add('hot')
  if (hasLoad && !hasStack) chosen.add('duologue').add('row-lock')
  return chosen
}
