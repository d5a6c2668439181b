/** A mistake that the tests must see: one exact piece of text that becomes another one. */
export type Mutant = {
  readonly name: string
  /** The rule that it breaks. */
  readonly breaks: string
  /** From the root of the repository. */
  readonly file: string
  /** Must stand in the file exactly once: a patch that no longer applies is a failure. */
  readonly from: string
  readonly to: string
}

/** One that a test has to see. `function`: of the database; its newest definition must be the one in `file`. */
export type TestedMutant = Mutant & {
  readonly function?: string
  readonly project: 'fast' | 'slow'
  readonly test: string
  readonly title: string
}

/** One that the simulation has to see: some seed from 1 on must fail, at the latest this one. */
export type SimulatedMutant = Mutant & { readonly seedsMax: number }
