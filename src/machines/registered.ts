/** The machines that this build hosts, by name. A new machine is registered by one line here. */
import { conversationRegistration } from './conversation/registration.ts'
import type { MachineRegistry } from './registry.ts'

export const registeredMachines: MachineRegistry = { conversation: conversationRegistration }
