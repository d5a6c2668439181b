/** What the nemesis does to a cluster: each fault lasts a moment, and heals what it broke before it ends. */
import type { Cluster, ClusterNode } from '../support/cluster.ts'
import { wait } from '../support/cluster-load.ts'

export type FaultKind =
  | 'node killed'
  | 'node stopped and started'
  | 'node paused for two leases'
  | 'NATS killed'
  | 'NATS black-holed'
  | 'PostgreSQL stopped immediately'
  | 'Supabase cut'
  | 'Supabase slow'
  | 'answers of commits lost'
  | 'Twilio accepts and drops'
  | 'Twilio fails'
  | 'Twilio slows down'

export type FaultScene = {
  readonly cluster: Cluster
  readonly leaseMs: number
  readonly random: () => number
  readonly tell: (line: string) => void
  /** Called before a node's process ends: its counters end with it. */
  readonly lastWords: (node: ClusterNode) => Promise<void>
}

type Fault = (scene: FaultScene, node: ClusterNode) => Promise<void>

const awayMs = 1_000
const brokenMs = 3_000
const startsMax = 10

export const faults: { readonly [kind in FaultKind]: Fault } = {
  'node killed': async ({ cluster, lastWords }, node) => {
    await lastWords(node)
    await cluster.kill(node.name)
    await wait(awayMs)
    await startAgain(cluster, node.name)
  },
  'node stopped and started': async ({ cluster, lastWords, tell }, node) => {
    await lastWords(node)
    const from = Date.now()
    await cluster.stop(node.name)
    const stoppedAfterMs = Date.now() - from
    await startAgain(cluster, node.name)
    tell(`  stopped after ${stoppedAfterMs} ms, ready again after ${Date.now() - from} ms`)
  },
  'node paused for two leases': async ({ leaseMs }, node) => {
    node.pause()
    await wait(2 * leaseMs + awayMs)
    node.resume()
  },
  'NATS killed': async ({ cluster }) => {
    await cluster.log.kill()
    await wait(awayMs)
    await cluster.log.restart()
  },
  'NATS black-holed': async ({ leaseMs }, { nats }) => {
    nats.blackHole()
    await wait(brokenMs + leaseMs)
    nats.heal()
  },
  'PostgreSQL stopped immediately': async ({ cluster }) => {
    await cluster.postgres.crash()
    await wait(awayMs)
    await cluster.postgres.restart()
  },
  'Supabase cut': async (_scene, { supabase }) => {
    supabase.cut()
    await wait(brokenMs)
    supabase.heal()
  },
  'Supabase slow': async ({ random }, { supabase }) => {
    supabase.delay(100 + Math.round(300 * random()))
    await wait(brokenMs)
    supabase.heal()
  },
  'answers of commits lost': async (_scene, { supabase }) => {
    const before = supabase.lost()
    supabase.loseAnswers('commit_steps', 3)
    for (let waited = 0; supabase.lost() < before + 3 && waited < brokenMs; waited += 100) await wait(100)
    supabase.heal()
  },
  'Twilio accepts and drops': async ({ cluster }) => cluster.fake.fault('accept-then-drop', 5),
  'Twilio fails': async ({ cluster }) => cluster.fake.fault('server-error', 2),
  'Twilio slows down': async ({ cluster }) => cluster.fake.fault('rate-limit', 5),
}

/** As whatever supervises a process does: it is started until it stays. */
async function startAgain(cluster: Cluster, name: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await cluster.start(name)
      return
    } catch (error) {
      if (attempt >= startsMax) throw error
      await wait(awayMs)
    }
  }
}
