/** Reviews in this deployment: charts, drafts, the store, what tests walked, and the check of stored conversations. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import type { ReadModel } from '../actors/read-model.ts'
import type { ReviewStore, StoredVerdict } from '../actors/review-store.ts'
import { compareCharts } from '../charts/compare/compare-charts.ts'
import { coverChart } from '../charts/coverage/cover-chart.ts'
import type { ChartCoverage } from '../charts/coverage/cover-chart.ts'
import { parseCoverage } from '../charts/coverage/coverage.ts'
import type { Coverage } from '../charts/coverage/coverage.ts'
import type { ChartLibrary, LibraryChart } from '../charts/library.ts'
import type { InFlightResult } from '../charts/review/in-flight-result.ts'
import type { ReviewAnswer } from '../charts/review/review-answer.ts'
import { signReview } from '../charts/review/review-file.ts'
import { judgeReview, reviewSchemaName, verdictSchema } from '../charts/review/review.ts'
import type { ReviewSide, Verdict } from '../charts/review/review.ts'
import type { ReviewRouteOptions } from '../infra/http/review-routes.ts'
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'
import type { Draft } from './draft.ts'
import type { InFlightCheck } from './in-flight.ts'
import { hashOwnSources } from './machine-sources.ts'
import { createReplays } from './replays.ts'

export type ReviewsOptions = {
  readonly library: ChartLibrary
  readonly store: ReviewStore
  readonly readModel: Pick<ReadModel, 'listEvents'>
  readonly machines: MachineRegistry
  readonly draft: Draft | null
  readonly reviewToken: string | null
  /** Of everybody who is stored, against the proposed machine. */
  readonly checkInFlight: InFlightCheck
}

export type ReviewsPart = Pick<
  ReviewRouteOptions,
  'library' | 'store' | 'reviewToken' | 'cover' | 'replay' | 'readReview' | 'toSide'
>

const coverageFolder = fileURLToPath(new URL('../../coverage', import.meta.url))

export function openReviews(options: ReviewsOptions): ReviewsPart {
  const { library, store, readModel, machines, draft, reviewToken } = options
  const replays = createReplays({ store, readModel, machines })
  const ownSource = hashOwnSources()
  const ownCoverage = readCoverageFiles(coverageFolder)
  const toSide = ({ chart, hash, source }: LibraryChart): ReviewSide => {
    const sources = { build: ownSource, draft: draft?.source ?? null, stored: null } as const
    return { machine: chart.machine, version: chart.version, chart: hash, source: sources[source] }
  }
  const registrationOf = ({ source, chart }: LibraryChart): MachineRegistration | undefined => {
    const hosted = { build: machines, draft: draft?.machines, stored: undefined } as const
    return hosted[source]?.[chart.machine]
  }
  return {
    library,
    store,
    reviewToken,
    toSide,
    cover: (entry, base) => cover(entry, base, library, [...(draft?.coverage ?? []), ...ownCoverage]),
    replay(entry, filter, conversationsMax) {
      const registration = registrationOf(entry)
      return registration === undefined ? null : replays.run(registration, filter, conversationsMax)
    },
    async readReview(id, base, head) {
      const isRunnable = registrationOf(head) !== undefined
      const [verdicts, inFlight] = await Promise.all([
        store.listVerdicts(id),
        isRunnable ? options.checkInFlight(head) : null,
      ])
      return toAnswer({ id, base, head }, verdicts.map(toVerdict), inFlight, { toSide, reviewToken })
    },
  }
}

type Reviewed = { readonly id: string; readonly base: LibraryChart; readonly head: LibraryChart }

function toAnswer(
  { id, base, head }: Reviewed,
  verdicts: readonly Verdict[],
  inFlight: InFlightResult | null,
  { toSide, reviewToken }: Pick<ReviewsPart, 'toSide' | 'reviewToken'>,
): ReviewAnswer {
  const sides = { base: toSide(base), head: toSide(head) }
  const { changes } = compareCharts(base.chart, head.chart)
  const verdict = verdicts[0] ?? null
  const signed = { id, ...sides, verdict, inFlight }
  return {
    schema: reviewSchemaName,
    ...signed,
    signature: reviewToken === null ? null : signReview(signed, reviewToken),
    baseRef: base.ref,
    headRef: head.ref,
    changes: changes.length,
    verdicts,
    judgement: judgeReview(sides, changes, { verdict, inFlight }),
    seen: [sides.base, sides.head].map(({ chart, source }) => `${chart}:${source ?? ''}`).join('..'),
    mayWrite: reviewToken !== null,
    at: new Date().toISOString(),
  }
}

function toVerdict({ id: _id, ...stored }: StoredVerdict): Verdict {
  return verdictSchema.parse(stored)
}

/** The file that was made for this chart, else one whose chart is here to be compared with. */
function cover(
  entry: LibraryChart,
  base: LibraryChart | null,
  library: ChartLibrary,
  files: readonly Coverage[],
): ChartCoverage | null {
  const { machine } = entry.chart
  const own = files.filter((file) => file.machine === machine)
  const exact = own.find(({ chart }) => chart === entry.hash)
  const walkedOf = (file: Coverage): LibraryChart | undefined =>
    library
      .list()
      .find(({ chart, hash }) =>
        file.chart === null ? chart.machine === machine && chart.version === file.version : hash === file.chart,
      )
  const file = exact ?? own.toReversed().find((one) => walkedOf(one) !== undefined)
  if (file === undefined) return null
  const walked = exact === undefined ? walkedOf(file)?.chart : entry.chart
  if (walked === undefined) return null
  return coverChart(entry.chart, { coverage: file, walked, base: base?.chart ?? null })
}

export function readCoverageFiles(folder: string): readonly Coverage[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.toSorted().map((name) => parseCoverage(JSON.parse(readFileSync(`${folder}/${name}`, 'utf8'))))
}
