/** A machine that throws at one text, as a machine with a mistake would: its session is to be quarantined. */
import type { MachineRegistration } from '../../../src/machines/registry.ts'

export function poisonMachine(registration: MachineRegistration, poison: string): MachineRegistration {
  const { machine } = registration
  const poisoned: typeof machine = Object.assign(Object.create(machine) as typeof machine, {
    transition(...[snapshot, event, scope]: Parameters<typeof machine.transition>) {
      if ((event as { readonly body?: unknown }).body === poison) throw new Error('the machine cannot take this')
      return machine.transition(snapshot, event, scope)
    },
  })
  return { ...registration, machine: poisoned }
}
