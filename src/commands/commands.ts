/** The commands of the command line. Each brings its parts when it runs, so that help costs nothing. */
import type { Command } from './command.ts'

export const commands: { readonly [name: string]: Command } = {
  start: {
    summary: 'start Duologue and serve until it is stopped',
    usage: ['start'],
    notes: ['SIGTERM and Ctrl-C stop it cleanly. `npm start` does the same after setting the clone up.'],
    options: {},
    run: async (call) => (await import('./start.ts')).runStart(call),
  },
  doctor: {
    summary: 'check every setting against the real services',
    usage: ['doctor'],
    notes: [
      'One line for each check: ok, warn (it runs, but look at it) or bad (it will not run, and what to do).',
      'The embedded parts are checked while no service owns the data folder. Secrets are never printed.',
    ],
    options: {},
    run: async (call) => (await import('./doctor/doctor.ts')).runDoctor(call),
  },
  migrate: {
    summary: 'bring the database at DATABASE_URL to the newest schema',
    usage: ['migrate'],
    notes: ['The embedded database needs no migrating: it brings itself up to date at every start.'],
    options: {},
    run: async (call) => (await import('./run-migrate.ts')).runMigrateCommand(call),
  },
  stream: {
    summary: 'make the stream of the log on the NATS at NATS_URL',
    usage: ['stream'],
    notes: [
      'For deployments whose nodes may not make streams; where they may, the first start makes it.',
      'DUOLOGUE_PARTITIONS and NATS_REPLICAS say how; an existing stream is never changed.',
    ],
    options: {},
    run: async (call) => (await import('./make-stream.ts')).runStream(call),
  },
  tenant: {
    summary: 'make tenants, give them business addresses and API tokens, show or set their settings',
    usage: [
      'tenant list',
      'tenant add <name>',
      'tenant show <name>',
      'tenant set <name> <setting>=<value>…',
      'tenant channel <name> <address> [--account <sid> --secret env:<NAME>|file:/<path>]',
      'tenant token <name> add|revoke <token name>',
      'tenant token <name> list',
    ],
    notes: [
      'A secret is named, never stored: two values beside each other are both accepted while a token is rotated.',
      'A channel without an account of its own is reached through TWILIO_ACCOUNT_SID.',
      'An API token is shown once; it reaches what is of its tenant, and nothing else.',
      'A value is read as JSON where it is JSON, else as text; null takes the setting back to its default.',
      'Settings are read when a conversation opens: open conversations keep theirs.',
      'The tenant of TWILIO_NUMBERS is called default.',
    ],
    options: { account: { type: 'string' }, secret: { type: 'string' } },
    run: async (call) => (await import('./tenant.ts')).runTenant(call),
  },
  session: {
    summary: 'say that an address is the same person as a session, or that it is not',
    usage: [
      'session show <id> [--url <of the service>]',
      'session link <id> <address> --operator <id> [--reason <text>] [--url <of the service>]',
      'session unlink <id> <address> --operator <id> [--reason <text>] [--url <of the service>]',
    ],
    notes: [
      'A link closes the open conversation of the other session, whose history stays readable from this one.',
      'Undoing it takes the messages that came under the address, and the answers to them, back to their own session.',
      'It needs the running service and its token (DUOLOGUE_API_TOKEN, or the data folder).',
    ],
    options: { operator: { type: 'string' }, reason: { type: 'string' }, url: { type: 'string' } },
    run: async (call) => (await import('./session.ts')).runSession(call),
  },
  check: {
    summary: 'check the machines of this build, and what it would do to the conversations that are stored',
    usage: ['check [--machines]'],
    notes: [
      'Bad when the host cannot honour something in a machine, or when conversations stand where this build cannot go on.',
      '--machines leaves the stored conversations out, and needs no settings.',
    ],
    options: { machines: { type: 'boolean' } },
    run: async (call) => (await import('./check.ts')).runCheck(call),
  },
  quarantine: {
    summary: 'look at the events that could not be applied, and let their sessions go on',
    usage: [
      'quarantine list [--limit <1 to 200>] [--cursor <next>]',
      'quarantine show <id>',
      'quarantine retry|skip <id> [--url <of the service>]',
      'quarantine edit <id> <file with the event as JSON> [--url <of the service>]',
    ],
    notes: [
      'Oldest first, 50 unless told. --json shows the events themselves, which may hold what users wrote.',
      'list and show open the database, or ask the service that --url names.',
      'retry, skip and edit need the running service and its token (DUOLOGUE_API_TOKEN, or the data folder).',
      'Only the first waiting event of a session can be released; what waits behind it is applied then, in order.',
    ],
    options: { limit: { type: 'string' }, cursor: { type: 'string' }, url: { type: 'string' } },
    run: async (call) => (await import('./quarantine.ts')).runQuarantine(call),
  },
  spool: {
    summary: 'show or drain the events that wait in the database for the log',
    usage: ['spool status', 'spool drain'],
    notes: [
      'Every running node drains by itself as soon as it reaches the log; this is for when none runs.',
      'The events of a conversation are published in the order of their arrival; one that the log has already is no harm.',
    ],
    options: {},
    run: async (call) => (await import('./spool.ts')).runSpool(call),
  },
  reconcile: {
    summary: "publish the messages of Twilio's list that never arrived here",
    usage: ['reconcile --since <moment, or 30m, 2h, 1d>'],
    notes: [
      'They are marked as recovered: the field Recovered of their raw form is true.',
      'Nodes do the same by themselves when they find that the log has lost events.',
    ],
    options: { since: { type: 'string' } },
    run: async (call) => (await import('./reconcile.ts')).runReconcile(call),
  },
  replay: {
    summary: 'fold a conversation from its journal and compare it with what is stored; or run many on a draft',
    usage: [
      'replay <conversation id>',
      'replay --on <ref|module> [--last <number>] [--machine <name>] [--status <status>] [--address <number>] [--since <moment, or 2h, 7d>]',
    ],
    notes: [
      'With an id: good when the journal gives the stored snapshot and hash again.',
      'With --on: which of the last conversations (1,000 unless told) would have ended otherwise, or answered otherwise,',
      'on the machines of a git ref or a module that exports a registration. Ends with 1 when any would.',
      'Nothing is performed and nothing changed.',
    ],
    options: {
      on: { type: 'string' },
      last: { type: 'string' },
      machine: { type: 'string' },
      status: { type: 'string' },
      address: { type: 'string' },
      since: { type: 'string' },
    },
    run: async (call) => (await import('./replay.ts')).runReplay(call),
  },
  diff: {
    summary: 'say what changed between two versions of a chart, and whether the change may go',
    usage: [
      'diff --base <ref|file|version> [--head <ref|file|version>] [--machine <name>] [--out <folder>] [--reviews <folder> | --url <of a service>] [--picture-url <url>] [--no-gate]',
    ],
    notes: [
      'A version is conversation@1; a file is a chart (.json) or a module with a machine (.ts); else it is a git ref.',
      'The head is this clone unless told. review.md, review.json, diff.svg and diff.png are written into review/.',
      'Ends with 1 until the change is approved and every stored conversation can go on, as reviews/<id>.json says, or',
      'the service that --url names. With DUOLOGUE_REVIEW_TOKEN set the file has to be signed with it.',
      '--no-gate only says what changed, and writes only with --out.',
    ],
    options: {
      base: { type: 'string' },
      head: { type: 'string' },
      machine: { type: 'string' },
      out: { type: 'string' },
      reviews: { type: 'string' },
      url: { type: 'string' },
      'picture-url': { type: 'string' },
      'no-gate': { type: 'boolean' },
    },
    run: async (call) => (await import('./charts/run-diff.ts')).runDiff(call),
  },
  svg: {
    summary: 'write a chart as SVG, PNG, JSON, Mermaid or a Markdown table',
    usage: [
      'svg [<ref|file|version>] [--as svg|png|json|mmd|md] [--theme auto|light|dark] [--machine <name>] [--out <file>]',
    ],
    notes: ['Without --out it is printed. The form is that of the file name unless told.'],
    options: {
      as: { type: 'string' },
      theme: { type: 'string' },
      machine: { type: 'string' },
      out: { type: 'string' },
    },
    run: async (call) => (await import('./charts/run-svg.ts')).runSvg(call),
  },
}
