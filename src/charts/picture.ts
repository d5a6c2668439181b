/**
 * A chart with places: what is drawn, in the page, in an SVG and in a pull request alike. Plain JSON;
 * all places are absolute, in pixels, from the upper left corner.
 *
 * 1. Every transition of the chart is either one label of one arrow or one row of one box.
 * 2. Every state is one box; the root's rows stand above the boxes.
 */
import type { TransitionKind } from './chart.ts'

/** Drawn as shapes, since fonts differ in their signs. */
export type Sign = 'done' | 'error' | 'after' | 'always' | 'loop' | 'stop' | 'added' | 'removed' | 'changed'

export type Point = { readonly x: number; readonly y: number }
export type Area = Point & { readonly width: number; readonly height: number }

export type TextLine = {
  readonly text: string
  readonly isBold: boolean
  /** Of the text alone. */
  readonly width: number
}

/** The words of one transition, or of something that a state does (then without an id). */
export type Entry = Area & {
  readonly transitionId: string | null
  readonly kind: TransitionKind | 'note'
  readonly signs: readonly Sign[]
  readonly lines: readonly TextLine[]
}

export type Box = Area & {
  readonly stateId: string
  readonly title: string
  readonly titleSigns: readonly Sign[]
  readonly kind: 'atomic' | 'compound' | 'parallel' | 'region' | 'final' | 'history' | 'folded'
  readonly history: 'shallow' | 'deep' | null
  readonly isInitial: boolean
  readonly depth: number
  readonly rows: readonly Entry[]
}

/** All transitions from one state to another share one arrow; each has its own label at it. */
export type Arrow = {
  readonly id: string
  readonly source: string
  readonly target: string
  readonly kind: TransitionKind | 'mixed'
  readonly points: readonly Point[]
  readonly labels: readonly Entry[]
}

export type Picture = {
  readonly title: string
  readonly width: number
  readonly height: number
  /** What holds in every state. */
  readonly rootRows: readonly Entry[]
  /** Outer boxes before inner ones. */
  readonly boxes: readonly Box[]
  readonly arrows: readonly Arrow[]
  /** Said visibly when this is not the picture that was meant. */
  readonly note: string | null
}
