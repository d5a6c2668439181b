/** What every container of the deployment may and may not do, read off the files that make it. */
import { readFileSync } from 'node:fs'

import { describe, expect, test } from 'vitest'

import { makeComposeEnv, readComposeFile } from '../../support/compose-file.ts'

const env = makeComposeEnv({
  DUOLOGUE_PUBLIC_URL: 'https://duologue.example.org',
  TWILIO_ACCOUNT_SID: `AC${'1'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'token',
  TWILIO_NUMBERS: 'whatsapp:+14155238886',
})
const single = readComposeFile('docker-compose.yml', env)
const cluster = readComposeFile('docker-compose.cluster.yml', env)
const whole = Object.entries({ ...cluster.services, ...single.services }).filter(
  ([, service]) => service.image !== undefined || service.build !== undefined,
)
const files = ['docker-compose.yml', 'docker-compose.cluster.yml']
  .map((name) => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8'))
  .join('\n')
const added: { readonly [service: string]: readonly string[] } = {
  postgres: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETGID', 'SETUID'],
  api: ['NET_BIND_SERVICE'],
}

describe.each(whole)('the container %s', (name, service) => {
  test('has no rights beyond those that it is known to need', () => {
    expect(service.privileged).toBeUndefined()
    expect(service.cap_drop).toEqual(['ALL'])
    expect(service.cap_add ?? []).toEqual(added[name] ?? [])
    expect(service.security_opt).toEqual(['no-new-privileges:true'])
  })

  test('writes to its volumes and to memory only', () => {
    expect(service.read_only).toBe(true)
    expect((service.volumes ?? []).every((volume) => /^[\w-]+:\/[\w/]+$/u.test(volume))).toBe(true)
  })

  test('runs as somebody else than root where the image is ours, and comes back when it ends', () => {
    expect(service.user).toBe(service.build === undefined ? undefined : 'node')
    expect(['unless-stopped', 'on-failure']).toContain(service.restart)
  })

  test('is of a named version, and reached on loopback if at all', () => {
    expect(service.image ?? 'ours:1').toMatch(/:(?:v?\d+(?:\.\d+)*)(?:-\w+)?$/u)
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/u)
  })

  test('carries no secret of its own: all come from .env', () => {
    const secrets = Object.entries(service.environment ?? {}).filter(([variable]) =>
      /PASSWORD|SECRET|TOKEN/u.test(variable),
    )
    expect(secrets.filter(([, value]) => files.includes(value))).toEqual([])
  })
})

describe('the deployment', () => {
  test('has three nodes that own conversations, and each role has an identity and an inbox of its own', () => {
    const roles = Object.values(single.services).flatMap(({ environment = {} }) =>
      environment['DUOLOGUE_ROLES'] === undefined ? [] : [environment],
    )
    const seen = roles.map((each) => [
      each['DUOLOGUE_ROLES'],
      new URL(each['NATS_URL'] ?? '').username,
      each['NATS_INBOX_PREFIX'],
    ])
    expect(seen).toEqual([
      ['webhook', 'webhook', '_INBOX_webhook'],
      ['pages', 'console', '_INBOX_console'],
      ['actors', 'actors', '_INBOX_actors'],
      ['actors', 'actors', '_INBOX_actors'],
      ['actors', 'actors', '_INBOX_actors'],
    ])
    expect(new Set(roles.map((each) => each['DUOLOGUE_NODE_ID'])).size).toBe(5)
  })

  test('every server of the log syncs each write before it acknowledges it', () => {
    for (const { services, configs } of [single, cluster]) {
      const servers = Object.entries(services).filter(([, { image }]) => image?.startsWith('nats:') === true)
      expect(servers.length).toBeGreaterThan(0)
      for (const [name, { configs: mounted = [] }] of servers) {
        const texts = mounted.map(({ source }) => configs.get(source) ?? '')
        expect(
          texts.filter((text) => /^\s*sync_interval: always$/mu.test(text)),
          name,
        ).toHaveLength(1)
      }
    }
  })

  test('in the cluster every process names all three servers, and the stream has three copies', () => {
    const { services } = cluster
    for (const name of ['stream', 'webhook', 'console', 'node-1', 'node-2', 'node-3']) {
      expect(services[name]?.environment?.['NATS_URL'], name).toMatch(/@nats:4222,nats-2:4222,nats-3:4222$/u)
    }
    expect(services['stream']?.environment?.['NATS_REPLICAS']).toBe('3')
  })
})

describe('the Dockerfile', () => {
  const lines = readFileSync(new URL('../../../Dockerfile', import.meta.url), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')))

  test('builds in one stage and runs in another, both of one named version', () => {
    const stages = lines.filter((line) => line.startsWith('FROM '))
    expect(stages).toHaveLength(2)
    for (const stage of stages) expect(stage).toMatch(/^FROM node:24-slim(?: AS build)?$/u)
  })

  test('runs without rights, says how it is, and is process 1 itself', () => {
    const users = lastStage.filter((line) => line.startsWith('USER '))
    expect(users).toEqual(['USER node'])
    expect(lastStage.indexOf('USER node')).toBeGreaterThan(lastStage.findLastIndex((line) => line.startsWith('RUN ')))
    expect(lastStage.some((line) => line.startsWith('HEALTHCHECK ') && line.includes('/readyz'))).toBe(true)
    expect(lastStage.at(-1)).toBe('CMD ["node", "src/main.ts"]')
  })

  test('takes from the build what the service needs, not the clone', () => {
    const copied = lastStage.filter((line) => line.startsWith('COPY '))
    expect(copied.every((line) => line.startsWith('COPY --from=build /app/'))).toBe(true)
    expect(copied.some((line) => / \/app\/?(?: |$)/u.test(line))).toBe(false)
    expect(lines.some((line) => line.startsWith('ADD '))).toBe(false)
  })
})
