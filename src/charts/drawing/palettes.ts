/**
 * The colours of a chart on light and dark paper. Every colour of text has at least 4.5:1 on what lies
 * behind it; a test computes that. Colour never stands alone: kinds also differ by line and by sign.
 */
export type Palette = {
  readonly paper: string
  readonly container: string
  readonly box: string
  readonly line: string
  readonly ink: string
  readonly soft: string
  readonly focus: string
  readonly event: string
  readonly after: string
  readonly done: string
  readonly error: string
  readonly always: string
  readonly snapshot: string
  readonly added: string
  readonly addedBack: string
  readonly removed: string
  readonly removedBack: string
  readonly changed: string
  readonly changedBack: string
}

export const lightPalette: Palette = {
  paper: '#fdfdfc',
  container: '#f5f4f0',
  box: '#ffffff',
  line: '#858d89',
  ink: '#1e2422',
  soft: '#59615e',
  focus: '#2b6e5c',
  event: '#2453b8',
  after: '#8a5208',
  done: '#17694b',
  error: '#ab2a1c',
  always: '#6f3bb0',
  snapshot: '#17627a',
  added: '#17694b',
  addedBack: '#e3f4ea',
  removed: '#ab2a1c',
  removedBack: '#fceae6',
  changed: '#8a5208',
  changedBack: '#fcf1dc',
}

export const darkPalette: Palette = {
  paper: '#191d1c',
  container: '#1f2423',
  box: '#272d2b',
  line: '#77817d',
  ink: '#e7eae8',
  soft: '#a9b2ae',
  focus: '#7fcbb0',
  event: '#9dbdf8',
  after: '#efbd6e',
  done: '#7fd6ac',
  error: '#f6a795',
  always: '#cdb2f2',
  snapshot: '#85cee2',
  added: '#7fd6ac',
  addedBack: '#1c3a2d',
  removed: '#f6a795',
  removedBack: '#43241d',
  changed: '#efbd6e',
  changedBack: '#3b2f17',
}

/** Behind a state, from a few to the most: the ink of the theme stays readable on each. */
export const lightHeat = [
  '#fff0dc',
  '#fde2c2',
  '#fbd3a9',
  '#f9c58f',
  '#f8b775',
  '#f6a95b',
  '#f49a42',
  '#f28c28',
] as const
export const darkHeat = [
  '#3a3022',
  '#47351f',
  '#54391d',
  '#613e1a',
  '#6d4217',
  '#7a4714',
  '#874b12',
  '#94500f',
] as const
