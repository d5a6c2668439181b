/**
 * Tells what happens: Prometheus metrics and JSON log lines on stdout.
 *
 * Names begin with `duologue_`; a counter ends with `_total`. Every name and its labels are declared here,
 * so that a metric exists (with 0) before the first event of its kind, and a misspelt one throws.
 */
import { pino } from 'pino'
import type { DestinationStream } from 'pino'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

import type { LogLevel, Telemetry } from '../../actors/ports.ts'

const counters: {
  readonly [name: string]: { help: string; labels?: { readonly [label: string]: readonly string[] } }
} = {
  commits: {
    help: 'Sessions handed to the store, by what became of them.',
    labels: { outcome: ['committed', 'stale', 'fenced', 'duplicate'] },
  },
  steps: { help: 'Committed steps.' },
  commit_attempts_failed: { help: 'Commits that were not answered.', labels: { kind: ['refused', 'unknown'] } },
  messages_duplicate: { help: 'Inbound messages that were stored already.' },
  events_parked: { help: 'Events that could not be applied.', labels: { kind: ['poison', 'foreign'] } },
  events_forwarded: { help: 'Events that reached an owner under a key of another session, and went on to it.' },
  identities_unresolved: { help: 'Webhooks whose user could not be looked up, since the database was silent.' },
  identity_splits: { help: 'Webhooks whose keys lead to two sessions: an operator may link them.' },
  effects: { help: 'Effects that ended, by kind and outcome.', labels: { kind: [], outcome: [] } },
  effects_started: { help: 'Sends that asked to start, by what the store said.', labels: { kind: [], outcome: [] } },
  delivery_failures: {
    help: 'Messages that were not delivered, by what is done about it and who told.',
    labels: { action: [], source: [] },
  },
  session_notices: {
    help: 'What users and the provider said about whether and when a user may be written to.',
    labels: { kind: [], source: [] },
  },
  sends_left_uncertain: { help: 'Sends that a person has to look at.' },
  partitions_lost: { help: 'Partitions that went to another node, or whose lease ended.' },
  partitions_handed_over: { help: 'Partitions that were given up in order, by a stop or because others had less.' },
  log_incarnations_changed: { help: 'Partitions whose cursor was of another log than the one that is there.' },
  log_incidents: {
    help: 'Times that the log was found recreated, shortened, or with events missing.',
    labels: { kind: ['recreated', 'shortened', 'gap'] },
  },
  log_purged: { help: 'Events that the janitor took out of the log, behind every cursor.' },
  publications_failed: { help: 'Events that the log did not acknowledge to the webhook.' },
  spooled: { help: 'Events that went to the spool in the database, since a node could not reach the log.' },
  drained: { help: 'Spooled events that went to the log.' },
  recovered: { help: "Messages that were missing here and came from the provider's list." },
  reader_reopened: { help: 'Readers of the log that were opened anew.' },
  assistant_tokens: { help: 'Tokens that the model read and wrote.', labels: { kind: ['input', 'output'] } },
  assistant_failures: { help: 'Drafts that failed, by why.', labels: { code: [] } },
  media_fetches: {
    help: 'Files of messages that were fetched, or why they were not.',
    labels: { outcome: ['fetched'] },
  },
  voice_messages: {
    help: 'Voice messages, by whether they could be read.',
    labels: { outcome: ['read', 'unreadable'] },
  },
  transcribe_failures: { help: 'Readings of voice messages that failed, by why.', labels: { code: [] } },
  webhook_requests: { help: 'Webhook requests, by route and status code.', labels: { route: [], status: [] } },
  webhook_ignored: { help: 'Webhooks that say nothing we keep, by reason.', labels: { reason: [] } },
}

const histograms: { readonly [name: string]: { help: string; buckets: number[] } } = {
  commit_seconds: { help: 'From sending a commit to its answer.', buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] },
  commit_sessions: { help: 'Sessions in one commit.', buckets: [1, 2, 5, 10, 20, 50, 100, 200] },
  assistant_seconds: { help: 'From wanting a draft to its end.', buckets: [0.1, 0.3, 1, 2, 3, 5, 10, 20, 30, 60] },
  transcribe_seconds: {
    help: 'From wanting the voice messages of a turn in writing to the end.',
    buckets: [0.1, 0.3, 1, 2, 3, 5, 10, 20, 30, 60],
  },
  webhook_seconds: { help: 'From a webhook to its answer.', buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10] },
}

const gauges: { readonly [name: string]: string } = {
  partitions_owned: 'Partitions that this node owns.',
  resident_sessions: 'Sessions in memory.',
  spool_size: 'Events in the spool, as this node last heard.',
}

export type ProcessTelemetry = Telemetry & {
  /** The metrics in Prometheus' text format. */
  metrics(): Promise<string>
}

/** `destination`: where log lines go; stdout when it is not given. */
export function createTelemetry(node: string, level: LogLevel, destination?: DestinationStream): ProcessTelemetry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const logger = pino(
    { level, base: { node }, messageKey: 'message', formatters: { level: (label) => ({ level: label }) } },
    destination ?? pino.destination(1),
  )
  const counting = createCounters(registry)
  const observing = createHistograms(registry)
  const gauging = createGauges(registry)
  return {
    count(name, labels = {}, by = 1) {
      find(counting, name).inc(labels, by)
    },
    observe(name, value) {
      find(observing, name).observe(value)
    },
    gauge(name, value) {
      find(gauging, name).set(value)
    },
    log(logLevel, message, fields = {}) {
      logger[logLevel](fields, message)
    },
    metrics: async () => registry.metrics(),
  }
}

function createCounters(registry: Registry): Map<string, Counter> {
  const made = new Map<string, Counter>()
  for (const [name, { help, labels = {} }] of Object.entries(counters)) {
    const labelNames = Object.keys(labels)
    const counter = new Counter({ name: `duologue_${name}_total`, help, labelNames, registers: [registry] })
    const [label] = labelNames
    if (labelNames.length === 1 && label !== undefined) {
      for (const value of labels[label] ?? []) counter.inc({ [label]: value }, 0)
    }
    made.set(name, counter)
  }
  return made
}

function createHistograms(registry: Registry): Map<string, Histogram> {
  const entries = Object.entries(histograms)
  return new Map(
    entries.map(([name, { help, buckets }]) => [
      name,
      new Histogram({ name: `duologue_${name}`, help, buckets, registers: [registry] }),
    ]),
  )
}

function createGauges(registry: Registry): Map<string, Gauge> {
  const entries = Object.entries(gauges)
  return new Map(
    entries.map(([name, help]) => [name, new Gauge({ name: `duologue_${name}`, help, registers: [registry] })]),
  )
}

function find<T>(made: ReadonlyMap<string, T>, name: string): T {
  const metric = made.get(name)
  if (metric === undefined) throw new Error(`the metric '${name}' is not declared`)
  return metric
}
