import { expect, test } from 'vitest'

import { checkStates } from '../../src/actors/check-states.ts'
import type { StandingState } from '../../src/actors/check-states.ts'
import { openConversation } from '../../src/actors/step.ts'
import type { MachineRegistration } from '../../src/machines/registry.ts'
import { fromOneToTwo, surveyOne, surveyThree, surveyTwo } from '../support/machines/survey.ts'

function standing(registration: MachineRegistration, part: Partial<StandingState> = {}): StandingState {
  const snapshot = JSON.parse(openConversation(registration, null).snapshot) as { value: StandingState['value'] }
  const machineVersion = registration.machine.version ?? ''
  const state = { machine: 'survey', machineVersion, value: snapshot.value, count: 3, open: 2 }
  return { ...state, snapshot: snapshot, ...part }
}

function outcomes(registration: MachineRegistration, states: readonly StandingState[]): string[] {
  return checkStates({ survey: registration }, states).map(
    ({ outcome, reason, to }) => `${outcome} ${reason ?? to ?? ''}`,
  )
}

test('the newest version is good, an older one is migrated, however far', () => {
  expect(outcomes(surveyThree, [standing(surveyThree), standing(surveyTwo), standing(surveyOne)])).toEqual([
    'ok 3',
    'migrated 3',
    'migrated 3',
  ])
})

test('an unknown machine, a newer version and one that was dropped are blocked', () => {
  expect(
    outcomes(surveyTwo, [
      standing(surveyOne, { machine: 'quiz' }),
      standing(surveyThree),
      standing(surveyOne, { machineVersion: '0' }),
    ]),
  ).toEqual([
    "blocked this build has no machine 'quiz'",
    "blocked this build does not know version 3 of 'survey'",
    "blocked this build does not know version 0 of 'survey'",
  ])
})

test('a state that the machine no longer has is blocked, of the newest version and after a migration', () => {
  const gone = (registration: MachineRegistration) => {
    const { snapshot } = standing(registration)
    return standing(registration, { value: 'GONE', snapshot: { ...(snapshot as object), value: 'GONE' } })
  }
  const forgetful = { ...surveyTwo, versions: [{ ...fromOneToTwo, migrate: (given: never) => given }] }
  expect(outcomes(surveyTwo, [gone(surveyTwo)])[0]).toMatch(/^blocked .*GONE/u)
  expect(outcomes(forgetful as never, [standing(surveyOne)])[0]).toMatch(/^blocked .*asking/u)
})

test('the counts go through, and the snapshot does not', () => {
  const [checked] = checkStates({ survey: surveyOne }, [standing(surveyOne)])
  expect(checked).toEqual({
    machine: 'survey',
    machineVersion: '1',
    value: { PENDING: 'asking' },
    count: 3,
    open: 2,
    outcome: 'ok',
    reason: null,
    to: '1',
  })
})
