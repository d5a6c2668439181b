/**
 * What is laid over a chart: marks of states and transitions by id. An overlay takes the colours for
 * itself: the kinds of transitions turn grey while it is shown, so that a colour means one thing at a time.
 */
export type Tone =
  | 'added'
  | 'removed'
  | 'changed'
  | 'unchanged'
  | 'covered'
  | 'uncovered'
  | 'excused'
  | 'doubt'
  | 'allowed'
  | 'was'
  | 'would'

export type Mark = {
  readonly tone: Tone
  /** A few words at the corner of a state. */
  readonly badge: string | null
  /** The whole story, for a tooltip and for a screen reader: `was: after 5 s`. */
  readonly note: string | null
  /** How warm it is, from 0 (nobody) to 8; for an overlay of heat. */
  readonly heat?: number
}

export type Overlay = {
  readonly kind: 'compare' | 'coverage' | 'findings' | 'comments' | 'replay' | 'heat'
  readonly marks: { readonly [id: string]: Mark }
}
