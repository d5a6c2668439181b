/**
 * Where states and transitions stand in the source: the text is read as nested object literals, as far as
 * that is possible without understanding the language. A state that is written elsewhere and named here
 * (`states: { collecting }`) is found at its constant. What is not found has no place.
 */
import type { AnyStateMachine, AnyStateNode } from 'xstate'

/** Lines by key, nested like the source; `$` is the line of the object itself. */
type Literal = { readonly line: number; readonly fields: Map<string, Literal>; readonly named: string | null }

export function locateChart(machine: AnyStateMachine, path: string, text: string): { readonly [id: string]: string } {
  const places: Record<string, string> = {}
  if (text === '') return places
  const constants = readConstants(text)
  const root = findRoot(text)
  if (root === null) return places
  const resolve = (literal: Literal | undefined): Literal | undefined =>
    literal?.named === null || literal === undefined ? literal : (constants.get(literal.named) ?? literal)
  const visit = (node: AnyStateNode, literal: Literal | undefined): void => {
    const own = resolve(literal)
    if (own === undefined) return
    places[node.id] = `${path}:${own.line}`
    for (const id of listTransitionIds(node)) {
      const [, event = '', place = '0'] = id.split('|')
      const at = findTransition(own, event, Number(place), node.id, resolve)
      if (at !== null) places[id] = `${path}:${at}`
    }
    const states = resolve(own.fields.get('states'))
    for (const child of Object.values(node.states as Record<string, AnyStateNode>)) {
      visit(child, states?.fields.get(child.key))
    }
  }
  visit(machine.root, root)
  return places
}

function listTransitionIds(node: AnyStateNode): readonly string[] {
  const of = (event: string, list: readonly unknown[]): readonly string[] =>
    list.map((_, place) => `${node.id}|${event}|${place}`)
  const byEvent = [...node.transitions.entries()].flatMap(([event, list]) => of(event, list))
  return [...byEvent, ...of('', node.always ?? [])]
}

function findTransition(
  state: Literal,
  event: string,
  place: number,
  nodeId: string,
  resolve: (literal: Literal | undefined) => Literal | undefined,
): number | null {
  const field = (outer: string, inner: string): Literal | undefined =>
    resolve(state.fields.get(outer))?.fields.get(inner)
  const found = (): Literal | undefined => {
    if (event === '') return state.fields.get('always')
    if (event.startsWith('xstate.after.'))
      return field('after', event.slice('xstate.after.'.length, -nodeId.length - 1))
    if (event.startsWith('xstate.done.actor.')) return field('invoke', 'onDone')
    if (event.startsWith('xstate.error.actor.')) return field('invoke', 'onError')
    if (event.startsWith('xstate.done.state.')) return state.fields.get('onDone')
    return field('on', event)
  }
  const list = resolve(found())
  return list === undefined ? null : (list.fields.get(String(place))?.line ?? list.line)
}

// ── Reading literals ─────────────────────────────────────────────────────────────────────────────

type Cursor = { readonly text: string; at: number; line: number }

function findRoot(text: string): Literal | null {
  const at = text.indexOf('createMachine(')
  if (at === -1) return null
  return readValue(startAt(text, at + 'createMachine('.length))
}

/** `const name = …{` and `const name = [`: what may be named elsewhere. */
function readConstants(text: string): ReadonlyMap<string, Literal> {
  const constants = new Map<string, Literal>()
  for (const { 1: name = '', 0: whole, index } of text.matchAll(
    /^(?:export )?const (\w+) = (?:[\w.]+\()?(?=[[{])/gmu,
  )) {
    constants.set(name, readValue(startAt(text, index + whole.length)))
  }
  return constants
}

function startAt(text: string, at: number): Cursor {
  return { text, at, line: text.slice(0, at).split('\n').length }
}

function readValue(cursor: Cursor): Literal {
  skipBlank(cursor)
  const { line } = cursor
  const opening = cursor.text[cursor.at]
  if (opening === '{' || opening === '[') return readFields(cursor, opening)
  const from = cursor.at
  skipExpression(cursor)
  const text = cursor.text.slice(from, cursor.at).trim()
  return { line, fields: new Map(), named: /^\w+$/u.test(text) ? text : null }
}

function readFields(cursor: Cursor, opening: '{' | '['): Literal {
  const { line } = cursor
  const fields = new Map<string, Literal>()
  cursor.at += 1
  for (let place = 0; cursor.at < cursor.text.length; place += 1) {
    skipBlank(cursor)
    const next = cursor.text[cursor.at]
    if (next === '}' || next === ']') break
    if (opening === '[') fields.set(String(place), readValue(cursor))
    else readField(cursor, fields)
    skipBlank(cursor)
    if (cursor.text[cursor.at] === ',') cursor.at += 1
  }
  cursor.at += 1
  return { line, fields, named: null }
}

function readField(cursor: Cursor, fields: Map<string, Literal>): void {
  const { line } = cursor
  const key = /^(?:'([^']*)'|"([^"]*)"|([\w$]+))\s*(:|(?=[,}\s]))/u.exec(cursor.text.slice(cursor.at))
  if (key === null) {
    skipExpression(cursor)
    return
  }
  const name = key[1] ?? key[2] ?? key[3] ?? ''
  cursor.at += key[0].length
  if (key[4] !== ':') {
    fields.set(name, { line, fields: new Map(), named: name })
    return
  }
  const value = readValue(cursor)
  fields.set(name, { ...value, line: value.fields.size > 0 && value.named === null ? line : value.line })
}

/** To the comma or bracket that ends it. */
function skipExpression(cursor: Cursor): void {
  let depth = 0
  while (cursor.at < cursor.text.length) {
    const character = cursor.text[cursor.at] ?? ''
    if (depth === 0 && /[,}\])]/u.test(character)) return
    if (/[([{]/u.test(character)) depth += 1
    if (/[)\]}]/u.test(character)) depth -= 1
    if (/['"`]/u.test(character)) skipText(cursor, character)
    if (skipComment(cursor)) continue
    if (character === '\n') cursor.line += 1
    cursor.at += 1
  }
}

/** Leaves the cursor on the closing quote. */
function skipText(cursor: Cursor, quote: string): void {
  for (cursor.at += 1; cursor.at < cursor.text.length && cursor.text[cursor.at] !== quote; cursor.at += 1) {
    if (cursor.text[cursor.at] === '\\') cursor.at += 1
    if (cursor.text[cursor.at] === '\n') cursor.line += 1
  }
}

function skipBlank(cursor: Cursor): void {
  while (cursor.at < cursor.text.length) {
    if (skipComment(cursor)) continue
    const character = cursor.text[cursor.at] ?? ''
    if (!/\s/u.test(character)) return
    if (character === '\n') cursor.line += 1
    cursor.at += 1
  }
}

function skipComment(cursor: Cursor): boolean {
  const ahead = cursor.text.slice(cursor.at, cursor.at + 2)
  if (ahead !== '//' && ahead !== '/*') return false
  const end = cursor.text.indexOf(ahead === '//' ? '\n' : '*/', cursor.at + 2)
  const until = end === -1 ? cursor.text.length : ahead === '//' ? end : end + 2
  cursor.line += cursor.text.slice(cursor.at, until).split('\n').length - 1
  cursor.at = until
  return true
}
