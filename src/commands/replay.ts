/**
 * `duologue replay`: does the journal of a conversation give what is stored of it? Nothing but the journal and this
 * program's machine is used, so a changed event, a changed snapshot and a changed machine all show.
 */
import { toCanonicalJson } from '../actors/canonical-json.ts'
import type { EventItem, ReadModel } from '../actors/read-model.ts'
import { toHostedVersions } from '../actors/machine-versions.ts'
import { replayJournal } from '../actors/replay.ts'
import type { Replay } from '../actors/replay.ts'
import { readConfig } from '../config.ts'
import type { StoredConversation } from '../infra/supabase/tenants.ts'
import { withKeptMaps } from '../parts/in-flight.ts'
import { loadMachines } from '../parts/machines.ts'
import type { MachineRegistration } from '../machines/registry.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { runReplayOn } from './replay-on.ts'
import { toSentence } from './sentence.ts'

const idPattern = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu
const eventsPerPage = 200

type Comparison = { readonly isSame: boolean; readonly version: number; readonly reason: string | null }

export async function runReplay(call: CommandCall): Promise<CommandResult> {
  const { words, env, options } = call
  if (typeof options['on'] === 'string') return runReplayOn(call, options['on'])
  const [id] = words
  if (id === undefined || words.length > 1 || !idPattern.test(id))
    throw new WrongUse('replay wants one conversation id')
  const config = readConfig(env)
  const machines = withKeptMaps(await loadMachines(config.machines))
  const { stored, journal } = await withStore(config, { mayMake: false }, async (store) => {
    // The row first: what a running service adds meanwhile is then beyond its version.
    const row = await store.getStoredConversation(id)
    if (row === null) throw new Error(`there is no conversation ${id}`)
    return { stored: row, journal: await readJournal(store, id, row.version) }
  })
  const { isSame, version, reason } = compare(stored, journal, machines[stored.machine])
  const text = isSame
    ? `the journal gives the stored snapshot again: version ${version}, hash ${stored.hash}`
    : `version ${version} differs: ${reason}`
  const { hash, machine, machineVersion } = stored
  return {
    exitCode: isSame ? 0 : 1,
    value: { id, outcome: isSame ? 'same' : 'differs', version, reason, hash, machine, machineVersion },
    text,
  }
}

async function readJournal(store: ReadModel, id: string, upToVersion: number): Promise<readonly EventItem[]> {
  const journal: EventItem[] = []
  for (let cursor: string | null = null; ;) {
    const page = await store.listEvents(id, { cursor, limit: eventsPerPage })
    journal.push(...(page?.items ?? []))
    cursor = page?.next ?? null
    if (cursor === null || journal.length >= upToVersion) return journal.filter(({ version }) => version <= upToVersion)
  }
}

function compare(
  stored: StoredConversation,
  journal: readonly EventItem[],
  registration: MachineRegistration | undefined,
): Comparison {
  if (registration === undefined) return differs(1, `this program has no machine ${stored.machine}`)
  const own = toHostedVersions(registration).map((hosted) => hosted.version)
  const foreign = journal.find(({ machineVersion }) => !own.includes(machineVersion))
  const replay = replayOrRefuse(registration, journal)
  if (replay.kind === 'same') return compareSnapshots(stored, replay)
  if (foreign === undefined) return differs(replay.version, replay.reason)
  const { version, machineVersion } = foreign
  return differs(
    replay.version,
    `${replay.reason} (from version ${version} on the journal is of ${stored.machine} ${machineVersion}, this program has ${own.join(', ')})`,
  )
}

/** A machine of another version may throw where the writer's did not. */
function replayOrRefuse(registration: MachineRegistration, journal: readonly EventItem[]): Replay {
  try {
    return replayJournal(registration, journal)
  } catch (error) {
    return { kind: 'differs', version: journal.at(-1)?.version ?? 0, reason: `the machine threw: ${toSentence(error)}` }
  }
}

function compareSnapshots(stored: StoredConversation, replay: Replay & { readonly kind: 'same' }): Comparison {
  const { version, snapshot, hash } = replay
  if (version !== stored.version) return differs(stored.version, `the journal ends at version ${version}`)
  if (hash !== stored.hash) return differs(version, 'the stored hash is another one')
  const isSame = toCanonicalJson(snapshot) === toCanonicalJson(stored.snapshot)
  return isSame ? { isSame, version, reason: null } : differs(version, 'the stored snapshot is another one')
}

function differs(version: number, reason: string): Comparison {
  return { isSame: false, version, reason }
}
