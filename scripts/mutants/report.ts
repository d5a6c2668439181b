/**
 * What a run of Stryker found, file by file, and whether each mutant that survived is one that we know. Known ones stand in
 * `survivors.json` by the reason why no test can, or need, catch them; two that change the same text of a file the same way are one.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** As Stryker's JSON report has it, as far as it is read here. */
type Report = {
  readonly files: { readonly [path: string]: { readonly source: string; readonly mutants: readonly Mutant[] } }
}
type Place = { readonly line: number; readonly column: number }
type Mutant = {
  readonly status: 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'RuntimeError' | 'CompileError' | 'Ignored'
  readonly replacement?: string
  readonly location: { readonly start: Place; readonly end: Place }
}

export type Score = {
  readonly path: string
  /** Those that a test failed by; a mutant that no module could be loaded with is none, it is in `unloadable`. */
  readonly caught: number
  readonly survived: number
  readonly uncovered: number
  readonly unloadable: number
}

export type Survivor = {
  readonly path: string
  readonly line: number
  readonly change: string
  readonly reason: string | null
}

/** Reason by reason, the changes by file. */
type Reasons = { readonly [reason: string]: { readonly [path: string]: readonly string[] } }

const changeCharactersMax = 120

export function readReport(path: string): Report {
  return JSON.parse(readFileSync(path, 'utf8')) as Report
}

export function toScores({ files }: Report): readonly Score[] {
  return Object.entries(files)
    .map(([path, { mutants }]) => {
      const count = (...statuses: readonly Mutant['status'][]) =>
        mutants.filter(({ status }) => statuses.includes(status)).length
      return {
        path,
        caught: count('Killed', 'Timeout'),
        survived: count('Survived'),
        uncovered: count('NoCoverage'),
        unloadable: count('RuntimeError', 'CompileError'),
      }
    })
    .toSorted((a, b) => a.path.localeCompare(b.path))
}

export function sumUp(scores: readonly Score[]): Score {
  const sum = (name: 'caught' | 'survived' | 'uncovered' | 'unloadable') =>
    scores.reduce((total, score) => total + score[name], 0)
  return {
    path: 'all',
    caught: sum('caught'),
    survived: sum('survived'),
    uncovered: sum('uncovered'),
    unloadable: sum('unloadable'),
  }
}

export function toSurvivors({ files }: Report): readonly Survivor[] {
  const reasons = JSON.parse(readFileSync(join(import.meta.dirname, 'survivors.json'), 'utf8')) as Reasons
  return Object.entries(files).flatMap(([path, { source, mutants }]) =>
    mutants
      .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
      .map((mutant): Survivor => {
        const change = toChange(source, mutant)
        const reason = Object.entries(reasons).find(([, byPath]) => byPath[path]?.includes(change))?.[0] ?? null
        return { path, line: mutant.location.start.line, change, reason }
      }),
  )
}

/** `a > b -> a >= b`, with single spaces; a long one is cut. */
function toChange(source: string, { location: { start, end }, replacement = '' }: Mutant): string {
  const lines = source.split('\n').slice(start.line - 1, end.line)
  const last = lines.length - 1
  const original = lines
    .map((line, place) => line.slice(place === 0 ? start.column - 1 : 0, place === last ? end.column - 1 : undefined))
    .join('\n')
  return [original, replacement].map((text) => text.replaceAll(/\s+/gu, ' ').slice(0, changeCharactersMax)).join(' -> ')
}
