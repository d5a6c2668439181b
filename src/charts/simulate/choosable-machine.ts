/**
 * A machine whose guards can be told what to answer. Its guards are exchanged once, before the first snapshot:
 * exchanged later, XState would go on asking the old ones, since a snapshot remembers its machine.
 */
import type { AnyStateMachine } from 'xstate'

export type Asked = { readonly guard: string; readonly answer: boolean; readonly isChosen: boolean }

export type Choices = { readonly [guard: string]: boolean }

export type ChoosableMachine = {
  readonly machine: AnyStateMachine
  /** Runs with these answers; tells which guards were asked, in order. What is not chosen is asked for real. */
  choose<Result>(choices: Choices, run: () => Result): { readonly result: Result; readonly asked: readonly Asked[] }
}

type Guard = (scope: unknown, params: unknown) => boolean

/** A machine that goes in circles is stopped after so many of its own steps. */
const microstepsMax = 1_000

export function toChoosableMachine(machine: AnyStateMachine): ChoosableMachine {
  let chosen: Choices = {}
  let asked: Asked[] = []
  const exchange = (name: string, guard: unknown): Guard => {
    return (scope, params) => {
      const isChosen = Object.hasOwn(chosen, name)
      const answer = isChosen ? chosen[name] === true : askReally(guard, scope, params)
      asked.push({ guard: name, answer, isChosen })
      return answer
    }
  }
  const guards = machine.implementations.guards as Record<string, unknown>
  const exchanged = Object.fromEntries(Object.entries(guards).map(([name, guard]) => [name, exchange(name, guard)]))
  const choosable = machine.provide({ guards: exchanged } as never) as AnyStateMachine
  const { maxIterations = Infinity } = machine.options ?? {}
  Object.assign(choosable, { options: { ...machine.options, maxIterations: Math.min(maxIterations, microstepsMax) } })
  return {
    machine: choosable,
    choose(choices, run) {
      chosen = choices
      asked = []
      try {
        const result = run()
        return { result, asked }
      } finally {
        chosen = {}
      }
    },
  }
}

/** A guard that was made for real events may stumble over an invented one: then it does not hold. */
function askReally(guard: unknown, scope: unknown, params: unknown): boolean {
  if (typeof guard !== 'function') return false
  try {
    return (guard as Guard)(scope, params)
  } catch {
    return false
  }
}
