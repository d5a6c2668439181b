/**
 * The settings, read from the environment once. This is the only file that does so; everything else gets what
 * it needs as arguments. A wrong or half-set setting stops the start with one error that names them all, and
 * never repeats a value, since it may be a secret. An empty value is an unset one.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'

import { crashPoints } from './actors/ports.ts'
import type { CrashPoint } from './actors/ports.ts'

export const roles = ['webhook', 'actors', 'pages'] as const
export type Role = (typeof roles)[number]

export type Config = {
  readonly http: {
    readonly host: string
    /** 0: any free port. */
    readonly port: number
    /** What Twilio calls, without a slash at its end. Null when it is to follow from the port that was free. */
    readonly publicUrl: string | null
  }
  readonly dataDir: string
  readonly roles: readonly Role[]
  readonly nodeId: string
  readonly partitions: number
  readonly leaseMs: number
  /** A session that nothing happens to leaves memory after this. */
  readonly sessionIdleMs: number
  /** Null: made at the first start and kept in the data folder. */
  readonly apiToken: string | null
  /** Null: nobody may comment. */
  readonly reviewToken: string | null
  /** A git ref or a module: machines that are proposed. Null: none. */
  readonly draft: string | null
  readonly databaseUrl: string | null
  /** Null: an embedded nats-server. */
  readonly nats: {
    readonly servers: readonly string[]
    readonly credentialsFile: string | null
    /** Of the stream, when this process is the first to need it. */
    readonly replicas: number
    /** Null: the client's own, which all identities share. */
    readonly inboxPrefix: string | null
  } | null
  /** Null: the embedded database. */
  readonly supabase: { readonly url: string; readonly secretKey: string } | null
  /** Null: the built-in phone. */
  readonly twilio: {
    readonly accountSid: string
    /** Signatures of any of them are accepted, the first is used to call. */
    readonly authTokens: readonly string[]
    /** Business addresses with their scheme: `whatsapp:+14155238886`, `sms:+14155238886`. */
    readonly numbers: readonly string[]
    /** Null: Twilio's own. */
    readonly apiUrl: string | null
  } | null
  /** Null: the scripted assistant. */
  readonly ai: { readonly baseUrl: string; readonly apiKey: string; readonly model: string } | null
  /** Null: nobody reads voice messages, and users are asked to write. */
  readonly transcribe: { readonly baseUrl: string; readonly apiKey: string; readonly model: string } | null
  /** Hosts beside the provider's API from which media is fetched. */
  readonly mediaHosts: readonly string[]
  /** Modules of machines beside our own. */
  readonly machines: readonly string[]
  /** How long after each other Twilio is asked about a send whose answer was lost, ms each. */
  readonly resolveAfterMs: readonly number[]
  /** Tests only: sessions take `clock.advanced`, as with the built-in phone. Refused with the real Twilio. */
  readonly mayAdvanceClock: boolean
  /** Crash tests only: where the process stands still to be killed. Refused with the real Twilio. */
  readonly crashPoint: CrashPoint | null
  /** Not at the first time that it comes to the crash point, but at the first one after a SIGUSR2. */
  readonly isCrashOnSignal: boolean
}

/** Its message lists every missing or wrong setting by name. */
export class ConfigError extends Error {}

type Environment = { readonly [name: string]: string | undefined }

/** Reads and checks all settings; throws a `ConfigError` that names everything that is wrong. */
export function readConfig(env: Environment): Config {
  const settings = createReader(env)
  const config: Config = {
    http: readHttp(settings),
    dataDir: settings.text('DUOLOGUE_DATA_DIR') ?? '.duologue',
    roles: readRoles(settings),
    nodeId: settings.matching('DUOLOGUE_NODE_ID', nodeIds) ?? defaultNodeId(),
    partitions: settings.integer('DUOLOGUE_PARTITIONS', { min: 1, max: 1024, preset: 64 }),
    leaseMs: settings.integer('DUOLOGUE_LEASE_MS', { min: 300, max: 60_000, preset: 3_000 }),
    sessionIdleMs: settings.integer('DUOLOGUE_SESSION_IDLE_MS', { min: 100, max: 86_400_000, preset: 60_000 }),
    apiToken: settings.matching('DUOLOGUE_API_TOKEN', tokens),
    reviewToken: settings.matching('DUOLOGUE_REVIEW_TOKEN', tokens),
    draft: settings.text('DUOLOGUE_DRAFT'),
    databaseUrl: settings.matching('DATABASE_URL', databaseUrls),
    nats: readNats(settings),
    supabase: readSupabase(settings),
    twilio: readTwilio(settings),
    ai: readAi(settings),
    transcribe: readTranscribe(settings),
    mediaHosts: readMediaHosts(settings),
    machines: settings.list('DUOLOGUE_MACHINES'),
    resolveAfterMs: readResolveAfter(settings),
    mayAdvanceClock: readTestClock(settings),
    crashPoint: readCrashPoint(settings),
    isCrashOnSignal: settings.text('DUOLOGUE_TEST_CRASH_ON') === 'SIGUSR2',
  }
  const [first, ...others] = settings.problems
  if (first === undefined) return config
  throw new ConfigError(
    others.length === 0 ? first : `${settings.problems.length} settings are wrong: ${settings.problems.join('; ')}`,
  )
}

type Form = { readonly pattern: RegExp; readonly expected: string }

const nodeIds: Form = { pattern: /^[\w.-]{1,64}$/u, expected: 'up to 64 letters, digits, dots, hyphens or underscores' }
const hosts: Form = { pattern: /^[\w.:-]+$/u, expected: 'a host name or an IP address' }
const tokens: Form = { pattern: /^[\x21-\x7e]+$/u, expected: 'a token of visible ASCII characters without spaces' }
const databaseUrls: Form = { pattern: /^postgres(?:ql)?:\/\/\S+$/u, expected: 'a URL that begins with postgres://' }
const natsUrls: Form = {
  pattern: /^(?:(?:nats|tls|wss?):\/\/)?[^\s/,]+$/u,
  expected: 'one or more of nats://host:port, separated by commas',
}
const inboxPrefixes: Form = {
  pattern: /^[\w-]+(?:\.[\w-]+)*$/u,
  expected: 'a subject of letters, digits, hyphens and underscores, such as _INBOX_actors',
}
const accountSids: Form = { pattern: /^AC[0-9A-Za-z]+$/u, expected: 'an account sid that begins with AC' }
const mediaHosts: Form = {
  pattern: /^(?=.{4,253}$)(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}$/u,
  expected: 'one or more host names in lower case, separated by commas',
}
const delays: Form = { pattern: /^\d{1,6}$/u, expected: 'one or more delays in milliseconds, separated by commas' }
const businessNumbers: Form = {
  pattern: /^(?:whatsapp:|sms:)?\+[1-9]\d{6,14}$/u,
  expected: 'one or more of whatsapp:+<number>, sms:+<number> or +<number>, separated by commas',
}

function readHttp(settings: Reader): Config['http'] {
  const port = settings.integer('DUOLOGUE_PORT', { min: 0, max: 65_535, preset: 3_000 })
  const publicUrl = settings.url('DUOLOGUE_PUBLIC_URL')
  return {
    host: settings.matching('DUOLOGUE_HOST', hosts) ?? '127.0.0.1',
    port,
    publicUrl: publicUrl ?? (port === 0 ? null : `http://127.0.0.1:${port}`),
  }
}

function readRoles(settings: Reader): readonly Role[] {
  const named = settings.list('DUOLOGUE_ROLES')
  if (named.length === 0) return roles
  const known = roles.filter((role) => named.includes(role))
  if (named.some((name) => !known.some((role) => role === name))) {
    settings.problems.push(`DUOLOGUE_ROLES must be any of ${roles.join(', ')}, separated by commas`)
  }
  return known
}

function defaultNodeId(): string {
  return `${hostname()
    .replaceAll(/[^\w.-]/gu, '-')
    .slice(0, 48)}-${randomBytes(4).toString('hex')}`
}

function readNats(settings: Reader): Config['nats'] {
  const servers = settings.list('NATS_URL', natsUrls)
  const credentialsFile = settings.text('NATS_CREDENTIALS_FILE')
  const replicas = settings.integer('NATS_REPLICAS', { min: 1, max: 5, preset: 1 })
  const inboxPrefix = settings.matching('NATS_INBOX_PREFIX', inboxPrefixes)
  if (servers.length > 0) return { servers, credentialsFile, replicas, inboxPrefix }
  if (credentialsFile !== null) settings.missing(['NATS_URL'], 'NATS_CREDENTIALS_FILE')
  return null
}

function readSupabase(settings: Reader): Config['supabase'] {
  const url = settings.url('SUPABASE_URL')
  const secretKey = settings.matching('SUPABASE_SECRET_KEY', tokens)
  if (!settings.together(['SUPABASE_URL', 'SUPABASE_SECRET_KEY'])) return null
  return { url: url ?? '', secretKey: secretKey ?? '' }
}

function readTwilio(settings: Reader): Config['twilio'] {
  const accountSid = settings.matching('TWILIO_ACCOUNT_SID', accountSids)
  const authTokens = settings.list('TWILIO_AUTH_TOKEN', tokens)
  const numbers = settings.list('TWILIO_NUMBERS', businessNumbers)
  const apiUrl = settings.url('TWILIO_API_URL')
  const isSet = settings.together(['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_NUMBERS'], ['TWILIO_API_URL'])
  if (!isSet) return null
  const withScheme = numbers.map((number) => (number.startsWith('+') ? `sms:${number}` : number))
  return { accountSid: accountSid ?? '', authTokens, numbers: [...new Set(withScheme)], apiUrl }
}

function readAi(settings: Reader): Config['ai'] {
  const baseUrl = settings.url('AI_BASE_URL')
  const apiKey = settings.matching('AI_API_KEY', tokens)
  const model = settings.text('AI_MODEL')
  if (!settings.together(['AI_BASE_URL', 'AI_API_KEY', 'AI_MODEL'])) return null
  return { baseUrl: baseUrl ?? '', apiKey: apiKey ?? '', model: model ?? '' }
}

/** The model alone: the assistant's endpoint reads voice messages too. */
function readTranscribe(settings: Reader): Config['transcribe'] {
  const baseUrl = settings.url('TRANSCRIBE_BASE_URL')
  const apiKey = settings.matching('TRANSCRIBE_API_KEY', tokens)
  const model = settings.text('TRANSCRIBE_MODEL')
  if (baseUrl !== null || apiKey !== null) {
    const names = ['TRANSCRIBE_BASE_URL', 'TRANSCRIBE_API_KEY', 'TRANSCRIBE_MODEL']
    return settings.together(names) ? { baseUrl: baseUrl ?? '', apiKey: apiKey ?? '', model: model ?? '' } : null
  }
  if (model === null) return null
  const ofAssistant = { baseUrl: settings.url('AI_BASE_URL'), apiKey: settings.matching('AI_API_KEY', tokens) }
  if (ofAssistant.baseUrl !== null && ofAssistant.apiKey !== null) {
    return { baseUrl: ofAssistant.baseUrl, apiKey: ofAssistant.apiKey, model }
  }
  settings.missing(['TRANSCRIBE_BASE_URL', 'TRANSCRIBE_API_KEY'], 'TRANSCRIBE_MODEL')
  return null
}

/** Where Twilio keeps media: behind its API's redirects, with HTTP authentication enforced and without. */
const twilioMediaHosts = ['mms.twiliocdn.com', 's3-external-1.amazonaws.com']

function readMediaHosts(settings: Reader): readonly string[] {
  const named = settings.list('MEDIA_HOSTS', mediaHosts)
  return named.length === 0 ? twilioMediaHosts : named
}

function readResolveAfter(settings: Reader): readonly number[] {
  const named = settings.list('DUOLOGUE_SEND_RESOLVE_AFTER_MS', delays)
  return named.length === 0 ? [2_000, 10_000, 30_000] : named.map(Number)
}

function readCrashPoint(settings: Reader): CrashPoint | null {
  const named = settings.text('DUOLOGUE_TEST_CRASH_POINT')
  if (named === null) return null
  const crashPoint = crashPoints.find((point) => point === named) ?? null
  if (crashPoint === null) settings.problems.push(`DUOLOGUE_TEST_CRASH_POINT must be one of ${crashPoints.join(', ')}`)
  refuseWithRealTwilio(settings, 'DUOLOGUE_TEST_CRASH_POINT')
  return crashPoint
}

function readTestClock(settings: Reader): boolean {
  const named = settings.text('DUOLOGUE_TEST_CLOCK')
  if (named === null) return false
  if (named !== '1') settings.problems.push('DUOLOGUE_TEST_CLOCK must be 1, or not be set')
  refuseWithRealTwilio(settings, 'DUOLOGUE_TEST_CLOCK')
  return true
}

function refuseWithRealTwilio(settings: Reader, name: string): void {
  const isReal = settings.text('TWILIO_ACCOUNT_SID') !== null && settings.text('TWILIO_API_URL') === null
  if (isReal) settings.problems.push(`${name} is for tests, not for the real Twilio`)
}

type Reader = ReturnType<typeof createReader>

/** Reads single settings; what is wrong is noted in `problems`, and the setting counts as unset. */
function createReader(env: Environment) {
  const problems: string[] = []
  const text = (name: string): string | null => env[name]?.trim() || null

  function wrong(name: string, expected: string): null {
    problems.push(`${name} must be ${expected}`)
    return null
  }
  function matching(name: string, form: Form): string | null {
    const value = text(name)
    return value === null || form.pattern.test(value) ? value : wrong(name, form.expected)
  }
  function integer(name: string, { min, max, preset }: { min: number; max: number; preset: number }): number {
    const value = text(name)
    if (value === null) return preset
    if (/^\d{1,9}$/u.test(value) && Number(value) >= min && Number(value) <= max) return Number(value)
    wrong(name, `a whole number from ${min} to ${max}`)
    return preset
  }
  function list(name: string, form?: Form): readonly string[] {
    const values = (text(name)?.split(',') ?? []).map((value) => value.trim()).filter((value) => value !== '')
    const isRight =
      form === undefined ||
      (values.every((value) => form.pattern.test(value)) && (values.length > 0 || text(name) === null))
    if (!isRight) wrong(name, form.expected)
    return values
  }
  /** Without fragment (Twilio leaves it out of its signatures) and without slashes at the end. */
  function url(name: string): string | null {
    const value = text(name)
    if (value === null) return null
    const parsed = URL.parse(value)
    const isRight = parsed !== null && ['http:', 'https:'].includes(parsed.protocol) && parsed.search === ''
    if (!isRight) return wrong(name, 'a URL that begins with http:// or https:// and has no query')
    return value.replace(/#.*$/su, '').replace(/\/+$/u, '')
  }
  function missing(names: readonly string[], because: string): void {
    for (const name of names) problems.push(`${name} is missing, but ${because} is set`)
  }
  /** Whether all of `names` are set. It is wrong to set some of them only, or one of `optional` without them. */
  function together(names: readonly string[], optional: readonly string[] = []): boolean {
    const because = [...names, ...optional].find((name) => text(name) !== null)
    if (because === undefined) return false
    missing(
      names.filter((name) => text(name) === null),
      because,
    )
    return true
  }
  return { problems, text, matching, integer, list, url, missing, together }
}
