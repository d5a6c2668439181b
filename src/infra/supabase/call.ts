/**
 * One call of a SQL function: one round trip, one transaction, one jsonb in and one out. The client sends nothing
 * until it is awaited, and a refused call does not throw: both are dealt with here and nowhere else.
 *
 * An error is one of two kinds. `StoreRefused`: the statement ran and failed, so nothing was written and the same
 * bytes will fail again. Any other: nobody knows (no answer, a gateway's answer), or it may pass (a lost connection,
 * a full disk, a deadlock), so the same bytes may be sent again.
 */
import type { PostgrestError, SupabaseClient } from '@supabase/supabase-js'
import { StoreRefused } from '../../actors/ports.ts'

export type Call = (name: string, argument: object) => Promise<unknown>

const timeoutMs = 10_000

export function createCall(client: SupabaseClient): Call {
  return async (name, argument) => {
    const parameters = name === 'commit_steps' ? { batch: argument } : { request: argument }
    const answer = await client.rpc(name, parameters).abortSignal(AbortSignal.timeout(timeoutMs))
    if (answer.error === null) return answer.data as unknown
    throw toError(name, answer.status, answer.error)
  }
}

/**
 * SQLSTATE classes that pass: connections, resources, an operator's hand, the system, deadlocks; a read-only standby.
 * And what PostgREST says without having asked the database: that it cannot reach it, or (seen for seconds after the
 * database came back) that it finds none of the functions, since it knows the schema by heart and learnt it too early.
 */
const passing = /^(?:08|53|57|58|40|25006|55P03|XX|PGRST00|PGRST2)/u
const refusing = /^(?:[0-9A-Z]{5}|PGRST\d+)$/u

/** Supabase Lite's code for any error that it has no better one for; its message says what failed. */
const liteCode = 'SUP'
const liteRefusal = /^(?:PostgresError|error|DatabaseError): /u
const litePassing =
  /deadlock|terminating connection|shutting down|starting up|recovery mode|read-only|tuple concurrently updated/iu

function toError(name: string, status: number, error: PostgrestError): Error {
  const text = `could not call ${name}: ${status} ${error.code} ${error.message}`
  return isRefusal(status, error) ? new StoreRefused(text, { cause: error }) : new Error(text, { cause: error })
}

function isRefusal(status: number, { code, message }: PostgrestError): boolean {
  if (status < 400 || status === 408 || status === 429 || (status > 501 && status < 600)) return false
  if (code === liteCode) return liteRefusal.test(message) && !litePassing.test(message)
  return refusing.test(code) && !passing.test(code)
}
