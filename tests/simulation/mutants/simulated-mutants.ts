/**
 * Mistakes in the host, or in the simulated store where the rule is the database's, that seeds have to see. The
 * numbers of seeds are several times what was needed when this was written.
 *
 * No mistakes, as far as anybody can see, and so not here: to compare no versions while the fence holds; to apply an
 * event again that was applied before a crash, since its key is stored; to change a settled effect, since its owner
 * knows that it is settled. The comparison of the stores sees the first and the last in the SQL.
 */
import type { SimulatedMutant } from './mutant.ts'

const commits: SimulatedMutant[] = [
  {
    name: 'two commits of a partition in flight',
    breaks: 'D6',
    file: 'src/actors/committer.ts',
    from: 'await this.#commit(taken, cursors)',
    to: 'void this.#commit(taken, cursors)',
    seedsMax: 40,
  },
  {
    name: 'a lost answer is not followed by the very same batch',
    breaks: 'D6',
    file: 'src/actors/committer.ts',
    from: 'outcome: await this.#host.store.commitSteps(batch) }',
    to: 'outcome: await this.#host.store.commitSteps({ ...batch, commitId: this.#host.ids.next() }) }',
    seedsMax: 40,
  },
  {
    name: 'a stale step counts as committed',
    breaks: 'D2, D3',
    file: 'src/actors/committer.ts',
    from: "if (sessionOutcome.kind === 'committed') {",
    to: "if (sessionOutcome.kind !== 'fenced') {",
    seedsMax: 60,
  },
  {
    name: 'the owner believes that its cursor moved over a stale step',
    breaks: 'D2',
    file: 'src/actors/committer.ts',
    from: 'partition.settled(isWhole ? sent.cursor : null, sent.parked.length)',
    to: 'partition.settled(sent.cursor, sent.parked.length)',
    seedsMax: 60,
  },
  {
    name: 'the cursor passes positions that wait',
    breaks: 'D2',
    file: 'src/actors/positions.ts',
    from: "if (position === undefined || position.state === 'waiting') break",
    to: 'if (position === undefined) break',
    seedsMax: 60,
  },
  {
    name: 'entries that wait again after a refusal still count as leaving',
    breaks: 'D2',
    file: 'src/actors/session.ts',
    from: "    setPositions(this.#mailbox, 'waiting')\n  }\n\n  /** The store itself",
    to: '  }\n\n  /** The store itself',
    seedsMax: 150,
  },
  {
    name: 'after a refusal the newer entries come first',
    breaks: 'order of a session',
    file: 'src/actors/session.ts',
    from: '[...(this.inFlight?.entries ?? []), ...(this.pending?.entries ?? []), ...this.#mailbox]',
    to: '[...this.#mailbox, ...(this.pending?.entries ?? []), ...(this.inFlight?.entries ?? [])]',
    seedsMax: 400,
  },
  {
    name: 'an event behind a quarantined one is dropped',
    breaks: 'quarantine keeps later events',
    file: 'src/actors/session.ts',
    from: "if (entry.kind === 'logged') this.#park(entry, null)\n      return",
    to: "if (entry.kind === 'logged') entry.position.state = 'finished'\n      return",
    seedsMax: 60,
  },
]

const effects: SimulatedMutant[] = [
  {
    name: 'an effect starts before its commit',
    breaks: 'nothing leaves before the commit',
    file: 'src/actors/session.ts',
    from: 'this.committed = this.pending === null ? this.newest : { ...state, isNew: false }',
    to: 'this.committed = this.newest',
    seedsMax: 60,
  },
  {
    name: "a cancelled draft's result is accepted",
    breaks: 'the generation of a turn',
    file: 'src/actors/decide.ts',
    from: 'const wanted = work.state.effects.find(({ effectId }) => effectId === started.effectId)\n  if (wanted === undefined) return',
    to: 'const wanted = work.state.effects.find(({ effectId }) => effectId === started.effectId) ?? started',
    seedsMax: 200,
  },
  {
    name: 'a send is tried again without asking what became of it',
    breaks: 'section 7',
    file: 'src/actors/effect-runner.ts',
    from: "this.#answer(session, effect, { kind: 'uncertain', reason: 'its owner ended while it was running' })",
    to: "this.#answer(session, effect, { kind: 'retry', afterMs: 0, reason: 'its owner ended while it was running' })",
    seedsMax: 60,
  },
  {
    name: 'a message that may be of another send with the same text is taken for this one',
    breaks: 'section 7 (found by the simulation)',
    file: 'src/actors/resolve-uncertain.ts',
    from: 'else if (answer.isProven || !isRivalled) return toDone(answer)',
    to: 'else return toDone(answer)',
    seedsMax: 3_000,
  },
  {
    name: 'an uncertain send is asked about once',
    breaks: 'section 7',
    file: 'src/actors/resolve-uncertain.ts',
    from: 'for (const waitMs of [0, ...host.settings.resolveAfterMs]) {',
    to: 'for (const waitMs of [0]) {',
    seedsMax: 60,
  },
  {
    name: 'sends of a session do not wait for each other',
    breaks: 'sends of one session go one after the other',
    file: 'src/actors/effect-runner.ts',
    from: 'else if (!isBlocked) isBlocked = this.#advanceSend(session, partition, effect)',
    to: 'else this.#advanceSend(session, partition, effect)',
    seedsMax: 80,
  },
  {
    name: 'the deadline of a send is ignored',
    breaks: 'D4: nothing is written to the world when the lease may have run out',
    file: 'src/actors/effect-runner.ts',
    from: 'const deadline = partition.leaseValidUntil',
    to: 'const deadline = Infinity',
    seedsMax: 300,
  },
  {
    name: 'a change of the speaker leaves its token as it was',
    breaks: 'after STOP nothing is sent',
    file: 'src/actors/take-step.ts',
    from: '(speakerChanged ? 1 : 0)',
    to: '(speakerChanged ? 0 : 0)',
    seedsMax: 300,
  },
  {
    name: 'a resolution that was cut short leaves the send to a person',
    breaks: 'liveness (found by seed 61)',
    file: 'src/actors/effect-runner.ts',
    from: 'if (resolved === null && !signal.aborted)',
    to: 'if (resolved === null)',
    seedsMax: 100,
  },
]

const late: SimulatedMutant[] = [
  {
    name: 'a start that was left behind hides the one of the session that was loaded since',
    breaks: 'liveness (found by the simulation)',
    file: 'src/actors/effect-runner.ts',
    from: 'const isStarting = this.#toStart.get(effect.effectId)?.session === session',
    to: 'const isStarting = this.#toStart.has(effect.effectId)',
    seedsMax: 3_000,
  },
]

const time: SimulatedMutant[] = [
  {
    name: 'timers fire without the barrier',
    breaks: 'D4: a message in the log wins over a timer',
    file: 'src/actors/partition.ts',
    from: 'if (due.length > 0) await this.barrier()',
    to: 'if (due.length > 1_000) await this.barrier()',
    seedsMax: 60,
  },
  {
    name: 'a timer fires before it is due',
    breaks: 'timers fire at their moment',
    file: 'src/actors/decide.ts',
    from: 'if (conversation === null || next === null || next.dueAt > asOf + clockOffsetMs) return',
    to: 'if (conversation === null || next === null || next.dueAt > asOf + clockOffsetMs + 60_000) return',
    seedsMax: 40,
  },
  {
    name: 'a new owner never looks for timers that are due',
    breaks: 'liveness',
    file: 'src/actors/node.ts',
    from: "if (of === 'effects') owned.get(partition)?.wake(sessionKey)\n        else owned.get(partition)?.wakeLater(sessionKey, wakeAt)",
    to: "if (of === 'effects') owned.get(partition)?.wake(sessionKey)",
    seedsMax: 40,
  },
]

const store: SimulatedMutant[] = [
  {
    name: 'the fence of a commit takes no lock',
    breaks: 'D3: a check without the lock does not fence',
    file: 'tests/simulation/store/simulated-store.ts',
    from: 'const unlock = await this.#locks.take(batch.partitions.map(({ partition }) => partition))',
    to: 'const unlock = await this.#locks.take([])',
    seedsMax: 600,
  },
  {
    name: 'the fence compares no epoch',
    breaks: 'D3',
    file: 'tests/simulation/store/commit.ts',
    from: 'return row !== undefined && row.epoch === epoch && row.owner === batch.nodeId\n  })\n  const isRepeated',
    to: 'return row !== undefined && row.epoch >= epoch\n  })\n  const isRepeated',
    seedsMax: 600,
  },
  {
    name: 'the cursor moves over a stale step',
    breaks: 'D2',
    file: 'tests/simulation/store/commit.ts',
    from: 'if (cursor === null || wrong.length > 0) return',
    to: 'if (cursor === null) return',
    seedsMax: 60,
  },
  {
    name: 'nobody looks whether a message is stored already',
    breaks: 'a duplicate is one message',
    file: 'tests/simulation/store/refusals.ts',
    from: 'if (known.length > 0) exceptions',
    to: 'if (known.length > 1_000) exceptions',
    seedsMax: 40,
  },
  {
    name: 'a lease that has not run out is taken',
    breaks: 'D3',
    file: 'tests/simulation/store/ownership.ts',
    from: '(row.leaseUntil !== null && row.leaseUntil < moment)) &&',
    to: 'row.leaseUntil !== null) &&',
    seedsMax: 60,
  },
]

export const simulatedMutants: readonly SimulatedMutant[] = [...commits, ...effects, ...late, ...time, ...store]
