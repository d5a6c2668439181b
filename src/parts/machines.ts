/**
 * The machines of this deployment: those of the build, and those that `DUOLOGUE_MACHINES` names, each a module that
 * exports `registration` (docs/decisions/2026-11-25-other-machines.md). A module that is none stops the start.
 */
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

import { registeredMachines } from '../machines/registered.ts'
import type { MachineRegistration, MachineRegistry } from '../machines/registry.ts'

const functions = [
  'opensOn',
  'toInput',
  'toStatus',
  'toReason',
  'toSpeaker',
  'readCommand',
  'toRefusal',
  'toConsent',
] as const

/** `modules`: paths from the working directory, or names of installed packages. Throws with a sentence. */
export async function loadMachines(modules: readonly string[]): Promise<MachineRegistry> {
  const registry: { [machineName: string]: MachineRegistration } = { ...registeredMachines }
  for (const module of modules) {
    const registration = await loadRegistration(module)
    const name = registration.machine.id
    if (Object.hasOwn(registry, name)) throw new Error(`the machine '${name}' of ${module} is there already`)
    registry[name] = registration
  }
  return registry
}

export async function loadRegistration(module: string): Promise<MachineRegistration> {
  const specifier = /^[./]/u.test(module) || module.endsWith('.ts') ? pathToFileURL(resolve(module)).href : module
  let loaded: { readonly registration?: Partial<MachineRegistration> }
  try {
    loaded = (await import(specifier)) as typeof loaded
  } catch (error) {
    throw new Error(`could not load the machine ${module}`, { cause: error })
  }
  const { registration } = loaded
  const wrong = findWrong(registration)
  if (wrong !== null) throw new Error(`the module ${module} is no machine: ${wrong}`)
  return registration as MachineRegistration
}

function findWrong(registration: Partial<MachineRegistration> | undefined): string | null {
  if (typeof registration !== 'object') return 'it exports no registration'
  const { machine, effectActions } = registration
  if (typeof machine?.id !== 'string' || typeof machine.transition !== 'function')
    return 'registration.machine is no XState machine'
  if (!machine.version) return 'registration.machine has no version'
  if (!Array.isArray(effectActions)) return 'registration.effectActions is no list'
  const missing = functions.find((name) => typeof registration[name] !== 'function')
  return missing === undefined ? null : `registration.${missing} is no function`
}
