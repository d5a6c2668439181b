/** Which two charts of a library a review is about, by its id: `conversation@2..3`. */
import type { ChartLibrary, LibraryChart } from '../library.ts'

const idPattern = /^(?<machine>[\w-]{1,80})@(?<base>[\w.-]{1,40}?)\.\.(?<head>[\w.-]{1,40})$/u
const sources = ['build', 'stored'] as const

/** Null when the id is none, or one of the charts is not there. The head is a draft where there is one. */
export function findReview(
  library: ChartLibrary,
  id: string,
): { readonly base: LibraryChart; readonly head: LibraryChart } | null {
  const { machine, base: baseVersion, head: headVersion } = idPattern.exec(id)?.groups ?? {}
  const find = (version: string | undefined, source: LibraryChart['source']): LibraryChart | undefined =>
    library
      .list()
      .find(({ chart, source: own }) => chart.machine === machine && chart.version === version && own === source)
  const head = find(headVersion, 'draft') ?? find(headVersion, 'build') ?? find(headVersion, 'stored')
  const base = sources.map((source) => find(baseVersion, source)).find((one) => one !== undefined && one !== head)
  return base === undefined || head === undefined ? null : { base, head }
}
