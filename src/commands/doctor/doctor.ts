/**
 * `duologue doctor`: every setting against the real service behind it, one line each. It opens what a start would
 * open, in the same order, but creates nothing: neither a data folder, nor a stream, nor a row. Secrets are never
 * printed; addresses of services are, without passwords.
 */
import { ConfigError, readConfig } from '../../config.ts'
import type { Config } from '../../config.ts'
import { WrongUse } from '../command.ts'
import type { CommandCall, CommandResult } from '../command.ts'
import { checkAssistant } from './check-assistant.ts'
import { checkDataFolder } from './check-data-folder.ts'
import { checkDatabase } from './check-database.ts'
import { checkHttp } from './check-http.ts'
import { checkLog } from './check-log.ts'
import { checkProvider } from './check-provider.ts'
import { checkTranscriber } from './check-transcriber.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const nodeMajorMin = 24
const tokenCharactersMin = 16

export async function runDoctor({ words, env }: CommandCall): Promise<CommandResult> {
  if (words.length > 0) throw new WrongUse('doctor takes no arguments: it checks the settings of the environment')
  try {
    const findings = await checkAll(readConfig(env), env)
    const isBad = findings.some(({ state }) => state === 'bad')
    return { exitCode: isBad ? 1 : 0, ...describe(findings) }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { exitCode: 2, ...describe([bad('settings', error.message, 'correct them; .env.example explains each')]) }
  }
}

async function checkAll(config: Config, env: CommandCall['env']): Promise<readonly Finding[]> {
  const dataFolder = await checkDataFolder(config)
  try {
    const { folder } = dataFolder
    return [
      ok('settings', `node ${config.nodeId}, roles ${config.roles.join(', ')}`),
      checkNode(),
      ...dataFolder.findings,
      ...(await checkLog(config, folder, env)),
      ...(await checkDatabase(config, folder)),
      ...(await checkProvider(config, env)),
      ...(await checkHttp(config)),
      ...checkTokens(config),
      await checkAssistant(config),
      await checkTranscriber(config),
    ]
  } finally {
    dataFolder.folder?.release()
  }
}

function checkNode(): Finding {
  const version = process.versions.node
  const isNew = Number(version.split('.')[0]) >= nodeMajorMin
  if (isNew) return ok('Node', version)
  return bad('Node', `${version} is too old`, `run it with Node ${nodeMajorMin} or later: \`npm run setup\` brings one`)
}

function checkTokens({ apiToken }: Config): readonly Finding[] {
  if (apiToken === null) return [ok('API token', 'made at the first start and kept in the data folder')]
  if (apiToken.length >= tokenCharactersMin) return [ok('API token', 'as set')]
  const text = `DUOLOGUE_API_TOKEN has ${apiToken.length} characters`
  return [warn('API token', text, 'a longer one is harder to guess: `openssl rand -hex 24` makes one')]
}

function describe(findings: readonly Finding[]): Pick<CommandResult, 'value' | 'text'> {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, state, text, advice }) => [
    `${state.padEnd(4)}  ${check.padEnd(width)}  ${text}`,
    ...(advice === null ? [] : [`${' '.repeat(width + 8)}→ ${advice}`]),
  ])
  const count = (wanted: Finding['state']): number => findings.filter(({ state }) => state === wanted).length
  const summary = { ok: count('ok'), warn: count('warn'), bad: count('bad') }
  const outcome = summary.bad > 0 ? 'bad' : summary.warn > 0 ? 'warn' : 'ok'
  return {
    value: { outcome, ...summary, items: findings },
    text: [...lines, '', `${summary.ok} ok, ${summary.warn} to look at, ${summary.bad} bad`].join('\n'),
  }
}
