/** A Supabase project, hosted or self-hosted, reached with its secret key (the service role). */
import { createClient, type SupabaseClient } from '@supabase/supabase-js'

/** Makes a client; nothing is sent before the first call. */
export function openSupabase(project: { readonly url: string; readonly secretKey: string }): SupabaseClient {
  return createClient(project.url, project.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
  })
}
