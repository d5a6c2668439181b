/**
 * The host lint's walk: a machine is opened and driven through the events that its states take, in a breadth of some
 * hundred steps, by the very functions that the host steps it with. What the host would refuse in production, what
 * JSON cannot carry, and what does not answer the same twice shows here.
 *
 * Events are made up, so a machine that throws at one of them proves nothing and is not blamed.
 */
import type { AnyStateNode } from 'xstate'

import type { Json, JsonObject } from '../machines/json.ts'
import type { MachineRegistration, Opening, PersistedSnapshot } from '../machines/registry.ts'
import { AssertionError } from './assert.ts'
import { toCanonicalJson } from './canonical-json.ts'
import type { Remark } from './host-lint.ts'
import { applyEvent, openConversation, restoreSnapshot } from './step.ts'
import type { Step } from './step.ts'

const snapshotsMax = 60
/** Contexts differ without end; the states are what is walked. */
const snapshotsPerValueMax = 2
const at = 1_800_000_000_000
const bodies = ['hello', 'thank you', 'exit', 'stop', 'a person please']

/** `found`: what other rules have said already is not said again. */
export function lintWalk(registration: MachineRegistration, found: readonly Remark[]): Remark[] {
  const remarks = new Map<string, Remark>()
  const remember = (remark: Remark | null): void => {
    if (remark !== null && !isSaid(remark, found)) remarks.set(`${remark.rule} ${remark.where}`, remark)
  }
  const waiting: string[] = []
  const visits = new Map<string, number>()
  const visit = (step: Step | null): void => {
    if (step === null) return
    const value = toCanonicalJson((JSON.parse(step.snapshot) as PersistedSnapshot).value)
    const count = visits.get(value) ?? 0
    visits.set(value, count + 1)
    if (count < snapshotsPerValueMax) waiting.push(step.snapshot)
  }
  for (const opening of toOpenings())
    visit(attempt(() => openConversation(registration, registration.toInput(opening)), 'opening', remember))
  for (let walked = 0; walked < snapshotsMax; walked += 1) {
    const snapshot = waiting.shift()
    if (snapshot === undefined) break
    for (const event of toEvents(registration, snapshot)) {
      visit(attempt(() => applyEvent(registration, snapshot, event), `on ${event.type}`, remember))
    }
  }
  return [...remarks.values()]
}

/** Takes the step twice: a machine that answers otherwise the second time is not one that can be replayed. */
function attempt(take: () => Step | null, where: string, remember: (remark: Remark | null) => void): Step | null {
  try {
    const first = take()
    if (JSON.stringify(first) === JSON.stringify(take())) return first
    const sentence = 'the same event on the same snapshot gives another result the second time'
    remember({ rule: 'impure', where, sentence })
    return first
  } catch (error) {
    remember(toRemark(error, where))
    return null
  }
}

function toRemark(error: unknown, where: string): Remark | null {
  const message = error instanceof Error ? error.message : String(error)
  if (message.includes('Infinite loop')) {
    return { rule: 'always-cycle', where, sentence: 'the machine does not come to rest within its maxIterations' }
  }
  if (message.includes('Unable to send event to actor')) {
    return {
      rule: 'refused',
      where,
      sentence: 'it sends to an actor that is not there: invoke an effect, or raise an event',
    }
  }
  if (!(error instanceof AssertionError))
    return where === 'opening'
      ? { rule: 'opening', where, sentence: `no conversation can be opened: ${message}` }
      : null
  if (/JSON|nested deeper/u.test(message)) {
    const sentence = `the context cannot be stored: ${message}; a restored snapshot would take other branches`
    return { rule: 'not-json', where, sentence }
  }
  return { rule: 'refused', where, sentence: message }
}

/** Rules that look at the chart name the very place; what the walk meets of the same is no news. */
function isSaid({ rule, sentence }: Remark, found: readonly Remark[]): boolean {
  const rules: { readonly [rule: string]: readonly string[] } = {
    impure: ['impure'],
    'not-json': ['spawn-in-assign'],
    refused: ['send-to', 'unregistered-action', 'unnamed-action', 'spawn-id', 'inline-actor', 'final', 'raise-id'],
  }
  if (rule === 'refused' && sentence.includes('delay')) return false
  return found.some((remark) => rules[rule]?.includes(remark.rule) === true)
}

function toOpenings(): Opening[] {
  return ['whatsapp:+14155238886', 'sms:+14155238886'].map((businessAddress) => {
    return { at, businessAddress, settings: {}, previous: null }
  })
}

type Sample = JsonObject & { readonly type: string }

function toEvents(registration: MachineRegistration, snapshotJson: string): Sample[] {
  const persisted = JSON.parse(snapshotJson) as PersistedSnapshot
  const { _nodes: nodes } = restoreSnapshot(registration.machine, persisted) as unknown as {
    _nodes: readonly AnyStateNode[]
  }
  const types = new Set(nodes.flatMap((node) => node.ownEvents as readonly string[]))
  return [...types]
    .filter((type) => !type.endsWith('*') && !type.startsWith('xstate.done.state.'))
    .flatMap((type) => toSamples(type))
}

function toSamples(type: string): Sample[] {
  const base: Sample = { type, at }
  if (type === 'message.received') {
    const media: Json = [{ url: 'https://example.invalid/1', contentType: 'image/jpeg' }]
    const texts: Sample[] = bodies.map((body, index) => ({ ...base, messageId: `m${index}`, body, media: [] }))
    return [...texts, { ...base, messageId: 'm9', body: '', media }]
  }
  if (type === 'delivery.updated') {
    return ['delivered', 'failed'].map((status) => ({ ...base, effectId: 'e', status, errorCode: null }))
  }
  if (type.startsWith('xstate.done.actor.')) {
    const actorId = type.slice('xstate.done.actor.'.length)
    const outputs: Json[] = [null, {}, { reply: 'hello', intent: 'continue', confidence: 1 }]
    return outputs.map((output) => ({ type, output, actorId }))
  }
  if (type.startsWith('xstate.error.actor.')) {
    return [{ type, error: { message: 'failed', code: null }, actorId: type.slice('xstate.error.actor.'.length) }]
  }
  return type.startsWith('xstate.')
    ? [{ type }]
    : [{ ...base, operatorId: 'ana', to: 'ben', as: 'agent', body: 'hello', reason: 'because' }]
}
