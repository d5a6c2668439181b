/** One process with the real host in it: `createNode` of src/actors/node.ts over the simulated ports. */
import type { Host } from '../../../src/actors/host.ts'
import { createNode } from '../../../src/actors/node.ts'
import type { Node } from '../../../src/actors/node.ts'
import type { Telemetry } from '../../../src/actors/ports.ts'
import { CommitWatch } from '../checks/commit-watch.ts'
import { SimulatedProcess } from '../engine/process.ts'
import { startsAt } from '../engine/scheduler.ts'
import { createLogLink, createStoreLink } from './links.ts'
import { createSimulatedAssistant } from './simulated-assistant.ts'
import type { World } from './world.ts'

export type SimulatedNode = { readonly owner: SimulatedProcess; readonly node: Node; hasStarted: boolean }

export function createSimulatedNode(world: World, nodeId: string): SimulatedNode {
  const { scheduler, faults, scenario } = world
  const owner = new SimulatedProcess(nodeId)
  const link = { owner, scheduler, faults }
  const { onCommit } = new CommitWatch(world.history)
  const store = createStoreLink({ ...link, lagMs: scenario.lagMs, onCommit }, world.server)
  const monotonic = (): number => scheduler.now - startsAt
  const host: Host = {
    clock: {
      now: () => scheduler.now + owner.skewMs,
      monotonic,
      schedule: (delayMs, task) => scheduler.after(owner, delayMs, 'timer', task),
    },
    ids: { next: world.nextId },
    random: () => scheduler.random.next(),
    log: createLogLink(link, world.log),
    store,
    performers: {
      draftReply: createSimulatedAssistant(owner, { scheduler, faults, onDraft: world.onDraft }),
      transcribe: {
        isVisible: false,
        perform: async () => ({ kind: 'failed', error: { message: 'nobody reads them', code: 'not-configured' } }),
      },
      sendMessage: world.twilio.createSender(owner, monotonic, store),
    },
    telemetry: createTelemetry(world, nodeId),
    reached: (point) => {
      if (faults.happens('node-paused-at-point')) {
        owner.pausedUntil =
          scheduler.now +
          scenario.leaseMs * scheduler.random.pick([0.5, 2, 4]) +
          (scheduler.random.chance(0.5) ? 50_000 : 0)
        faults.count(`paused ${point}`)
        return scheduler.pause(owner, 0, 'wakes')
      }
      if (!faults.happens('node-killed-at-point')) return
      faults.count(`killed ${point}`)
      world.kill(owner)
      return new Promise(() => {})
    },
    emitted: () => {},
    commandSettled: () => {},
    registry: { [world.registration.machine.id]: world.registration },
    settings: {
      nodeId,
      defaultMachine: world.registration.machine.id,
      leaseMs: scenario.leaseMs,
      isSoleOwner: false,
      mayAdvanceClock: false,
      resolveAfterMs: [2_000, 10_000, 30_000],
    },
  }
  return { owner, node: createNode(host), hasStarted: false }
}

/** What a node tells about itself: an error is either one that the scenario asked for, or wrong. */
function createTelemetry({ faults, history, trace, hasPoison }: World, nodeId: string): Telemetry {
  return {
    count(name, labels = {}, by = 1) {
      faults.count(['told', name, ...Object.values(labels)].join(' '), by)
    },
    observe() {},
    gauge() {},
    log(level, message, fields) {
      trace?.(`${nodeId} ${level}: ${message} ${JSON.stringify(fields ?? {})}`)
      if (message === 'a send stays uncertain') history.leftToPerson.add(String(fields?.['effectId']))
      else if (level === 'error' && !hasPoison) history.wrong('ERROR', `${message} ${JSON.stringify(fields ?? {})}`)
    },
  }
}
