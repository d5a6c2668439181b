/**
 * `duologue tenant token`: API tokens of one tenant. A token is shown once, when it is made; the database has its
 * SHA-256 alone.
 */
import { createHash, randomBytes } from 'node:crypto'

import { readConfig } from '../config.ts'
import { WrongUse } from './command.ts'
import type { CommandCall, CommandResult } from './command.ts'
import { withStore } from './open-store.ts'
import { unknownTenant } from './tenant-directory.ts'

const namePattern = /^[A-Za-z0-9][\w.@-]{0,63}$/u
const tokenBytes = 24

export async function addToken(tenant: string, name: string, env: CommandCall['env']): Promise<CommandResult> {
  if (!namePattern.test(name)) {
    throw new WrongUse('a token is named by up to 64 letters, digits, dots, hyphens, underscores or @')
  }
  const token = `duo_${randomBytes(tokenBytes).toString('base64url')}`
  const hash = createHash('sha256').update(token).digest('hex')
  const outcome = await withStore(readConfig(env), { mayMake: true }, async (store) =>
    store.addApiToken(tenant, name, hash),
  )
  if (outcome === 'missing') throw unknownTenant(tenant)
  if (outcome === 'refused') throw new Error(`tenant ${tenant} has a token ${name} already: revoke it, or name another`)
  return {
    exitCode: 0,
    value: { tenant, name, token },
    text: `${token}\n(shown once; it lets programs act for ${tenant})`,
  }
}

export async function revokeToken(tenant: string, name: string, env: CommandCall['env']): Promise<CommandResult> {
  const isRevoked = await withStore(readConfig(env), { mayMake: false }, async (store) =>
    store.revokeApiToken(tenant, name),
  )
  if (!isRevoked) throw new Error(`tenant ${tenant} has no valid token ${name}`)
  return {
    exitCode: 0,
    value: { tenant, name },
    text: `the token ${name} of tenant ${tenant} is refused within seconds`,
  }
}

export async function listTokens(tenant: string, env: CommandCall['env']): Promise<CommandResult> {
  const tokens = await withStore(readConfig(env), { mayMake: false }, async (store) => store.listApiTokens(tenant))
  if (tokens === null) throw unknownTenant(tenant)
  const lines = tokens.map(({ name, createdAt, revokedAt }) => {
    const end = revokedAt === null ? 'valid' : `revoked ${revokedAt}`
    return `${name}  made ${createdAt}, ${end}`
  })
  return { exitCode: 0, value: { items: tokens }, text: lines.length === 0 ? 'it has no tokens' : lines.join('\n') }
}
