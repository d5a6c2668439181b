/** What the page asks of Duologue. Everything is a reading: nothing here changes anything. */
import type { ChartCoverage } from '../../src/charts/coverage/cover-chart.ts'
import type { View } from '../../src/charts/library.ts'
import type { Step } from '../../src/charts/simulate/steps.ts'
import type { ReviewedWalk } from '../../src/charts/simulate/walk-chart.ts'

export type ChartItem = {
  readonly ref: string
  readonly machine: string
  readonly version: string
  readonly source: 'build' | 'draft' | 'stored'
  readonly states: number
}

/** Why something was not answered, as the service says it. */
export class Refused extends Error {}

export async function listCharts(): Promise<readonly ChartItem[]> {
  return (await ask<{ readonly items: readonly ChartItem[] }>('/api/charts')).items
}

export async function readView(ref: string, base: string | null, folds: readonly string[]): Promise<View> {
  return ask<View>(`/api/charts/${encodeURIComponent(ref)}/view${toQuery({ base, fold: folds.join(',') })}`)
}

const coverages = new Map<string, Promise<ChartCoverage>>()

/** It is a file of the build: asked for once. */
export async function readCoverage(ref: string, base: string | null): Promise<ChartCoverage> {
  const path = `/api/charts/${encodeURIComponent(ref)}/coverage${toQuery({ base })}`
  const asked = coverages.get(path) ?? ask<ChartCoverage>(path)
  coverages.set(path, asked)
  asked.catch(() => coverages.delete(path))
  return asked
}

export async function readWalk(ref: string, steps: readonly Step[], base: string | null): Promise<ReviewedWalk> {
  return ask<ReviewedWalk>(`/api/charts/${encodeURIComponent(ref)}/walk${toQuery({ steps: toStepsText(steps), base })}`)
}

export async function readWalkTest(ref: string, steps: readonly Step[]): Promise<string> {
  const answer = await fetch(
    `/api/charts/${encodeURIComponent(ref)}/walk-test${toQuery({ steps: toStepsText(steps) })}`,
  )
  return answer.ok ? answer.text() : refuse(answer)
}

export function toFilePath(ref: string, form: string, base: string | null, folds: readonly string[]): string {
  return `/api/charts/${encodeURIComponent(ref)}.${form}${toQuery({ base, fold: folds.join(',') })}`
}

export function toThreadsPath(ref: string): string {
  return `/api/charts/${encodeURIComponent(ref)}/threads`
}

export function toStepsText(steps: readonly Step[]): string {
  return steps.length === 0 ? '' : JSON.stringify(steps)
}

export function toQuery(fields: { readonly [name: string]: string | null }): string {
  const given = Object.entries(fields).filter(
    (field): field is [string, string] => field[1] !== null && field[1] !== '',
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

export async function ask<Answer>(path: string): Promise<Answer> {
  const answer = await fetch(path).catch(() => null)
  if (answer === null) throw new Refused('the service does not answer')
  return answer.ok ? ((await answer.json()) as Answer) : refuse(answer)
}

export async function refuse(answer: Response): Promise<never> {
  if (answer.status === 401) throw new Refused('you are signed out: open the link that Duologue printed at its start')
  const problem = (await answer.json().catch(() => null)) as { readonly detail?: string } | null
  throw new Refused(problem?.detail ?? `the service answered ${answer.status}`)
}
