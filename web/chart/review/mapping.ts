/** What the migration map is on the picture: ways from old states to new ones, and the one that is being drawn. */
export type Mapping = { readonly ways: readonly MapWay[]; readonly picking: Picking | null }

export type MapWay = { readonly from: string; readonly to: string }

export type Picking = {
  /** The state that is gone, and what it is called. */
  readonly from: string
  readonly name: string
  readonly goals: ReadonlySet<string>
  /** What was added, and what stands beside it. */
  readonly likely: readonly string[]
  /** Null: nothing is chosen, and all stays as it is. */
  readonly choose: (goal: string | null) => void
}
