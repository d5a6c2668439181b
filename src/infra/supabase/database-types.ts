/**
 * The rows of the schema `duologue` as JSON carries them, from the database's catalogue: written by
 * scripts/generated-columns.ts, do not edit.
 */
import type { Json } from '../../machines/json.ts'

/** What may be inserted into a table: everything but its generated columns. */
export type Insert<Name extends keyof Tables> = Omit<Tables[Name]['Row'], Tables[Name]['Generated']>

export type Tables = {
  api_tokens: {
    Row: {
      id: string
      tenant_id: string
      name: string
      token_hash: string
      created_at: string
      revoked_at: string | null
    }
    Generated: never
  }
  assistant_rates: {
    Row: {
      tenant_id: string
      minute_at: string
      minute_calls: number
      hour_at: string
      hour_calls: number
    }
    Generated: never
  }
  assistant_usage: {
    Row: {
      tenant_id: string
      day: string
      calls: number
      input_tokens: number
      output_tokens: number
      spent_micros: number
      reserved_micros: number
    }
    Generated: never
  }
  channels: {
    Row: {
      id: string
      tenant_id: string
      address: string
      business_token: string
      provider_account: string | null
      token_secret_name: string | null
      settings: Json
      created_at: string
      paused_until: string | null
      paused_because: string | null
    }
    Generated: 'business_token'
  }
  commands: {
    Row: {
      id: string
      session_id: string
      conversation_id: string | null
      outcome: string
      status: string | null
      version: number | null
      reason: string | null
      at: string
    }
    Generated: never
  }
  conversation_events: {
    Row: {
      conversation_id: string
      version: number
      event_id: string
      event: Json
      from_status: string | null
      to_status: string
      reason: string | null
      initiator: string
      machine_version: string
      occurred_at: string
      hash: string
    }
    Generated: never
  }
  conversations: {
    Row: {
      id: string
      tenant_id: string
      session_id: string
      partition: number
      status: string
      snapshot: Json
      machine: string
      machine_version: string
      version: number
      hash: string
      timers: Json
      next_timer_at: string | null
      previous_id: string | null
      assigned_operator: string | null
      opened_at: string
      updated_at: string
      closed_at: string | null
      notable_version: number
      state_since: string
      shape: string
    }
    Generated: 'shape'
  }
  deliveries: {
    Row: {
      channel_id: string
      provider_id: string
      session_id: string
      effect_id: string | null
      status: string
      error_code: string | null
      raw: Json
      updated_at: string
    }
    Generated: never
  }
  effects: {
    Row: {
      id: string
      session_id: string
      partition: number
      conversation_id: string
      kind: string
      params: Json
      child_id: string | null
      speaker_token: number
      status: string
      attempts: number
      next_attempt_at: string | null
      deadline: string | null
      started_at: string | null
      outcome: Json
      message_id: string | null
      created_at: string
      held_because: string | null
      held_since: string | null
    }
    Generated: never
  }
  identities: {
    Row: {
      business_address: string
      user_key: string
      session_key: string
      home: string
      learned_from: string | null
      held_until: string | null
      created_at: string
    }
    Generated: 'session_key'
  }
  identity_state: {
    Row: {
      only_row: boolean
      generation: number
    }
    Generated: never
  }
  log_state: {
    Row: {
      only_row: boolean
      created: string | null
      generation: number
      incarnation: string | null
      seen_sequence: number
      accounted_through: number
      incidents: number
      reconcile_since: string | null
      reconciler: string | null
      reconciler_until: string | null
      janitor: string | null
      janitor_until: string | null
    }
    Generated: never
  }
  message_keys: {
    Row: {
      message_id: string
      session_id: string
      user_key: string
    }
    Generated: never
  }
  messages: {
    Row: {
      session_id: string
      id: string
      channel_id: string
      conversation_id: string | null
      direction: string
      author: string
      body: string
      media: Json
      provider_id: string | null
      raw: Json
      at: string
      content: Json
      transcripts: Json
      rate_limited: boolean
    }
    Generated: never
  }
  move_counts: {
    Row: {
      partition: number
      since: string
      move: string
      count: number
      is_hour: boolean
    }
    Generated: never
  }
  moves: {
    Row: {
      move: string
      machine: string
      machine_version: string
      from_version: string | null
      from_value: Json
      events: string | null
      to_value: Json
    }
    Generated: never
  }
  nodes: {
    Row: {
      node_id: string
      seen_at: string
      lease_ms: number
      is_leaving: boolean
      machines: Json
      can_read: boolean
    }
    Generated: never
  }
  opt_out_blocks: {
    Row: {
      effect_id: string
      opt_out_id: string
      at: string
    }
    Generated: never
  }
  opt_outs: {
    Row: {
      id: string
      tenant_id: string
      scope: string
      user_key: string
      session_id: string | null
      source: string
      code: string | null
      provider_id: string | null
      effect_id: string | null
      at: string
      recorded_at: string
      ended_at: string | null
      ended_by: string | null
    }
    Generated: never
  }
  partitions: {
    Row: {
      partition: number
      owner: string | null
      epoch: number
      lease_until: string | null
      cursor_incarnation: string
      cursor_sequence: number
      last_commit_id: string | null
      last_commit_outcome: Json
      needs: Json
    }
    Generated: never
  }
  quarantine: {
    Row: {
      id: string
      partition: number
      session_id: string | null
      position_incarnation: string
      position_sequence: number
      kind: string
      subject: string
      data_base64: string
      error: string | null
      at: string
      attempts: number
    }
    Generated: never
  }
  review_charts: {
    Row: {
      hash: string
      chart: Json
    }
    Generated: never
  }
  review_comments: {
    Row: {
      id: string
      thread_id: string
      author: string
      body: string
      at: string
    }
    Generated: never
  }
  review_threads: {
    Row: {
      id: string
      machine: string
      about: string
      chart_hash: string
      opened_at: string
      resolved_at: string | null
      resolved_by: string | null
    }
    Generated: never
  }
  review_verdicts: {
    Row: {
      id: string
      review_id: string
      base: Json
      head: Json
      verdict: string
      author: string
      note: string
      at: string
    }
    Generated: never
  }
  session_links: {
    Row: {
      id: string
      tenant_id: string
      into_session_id: string
      from_session_id: string | null
      from_key: string
      keys: Json
      operator_id: string
      reason: string
      closed_conversation_id: string | null
      into_conversation_id: string | null
      linked_at: string
      unlinked_at: string | null
      unlinked_by: string | null
      unlink_reason: string | null
      moved_messages: number
    }
    Generated: never
  }
  sessions: {
    Row: {
      id: string
      tenant_id: string
      channel_id: string
      partition: number
      business_address: string
      user_key: string
      session_key: string
      position_incarnation: string | null
      position_sequence: number | null
      conversation_id: string | null
      reply_address: string
      last_inbound_at: string | null
      speaker: string
      speaker_token: number
      opted_out: boolean
      clock_offset_ms: number
      quarantined_at: string | null
      created_at: string
      redirects: Json
      identity_version: number
      window_closed_at: string | null
      pace_at: string | null
    }
    Generated: 'session_key'
  }
  shape_counts: {
    Row: {
      partition: number
      shape: string
      count: number
      open: number
    }
    Generated: never
  }
  shapes: {
    Row: {
      shape: string
      machine: string
      machine_version: string
      value: Json
      timers: Json
      children: Json
      history: Json
    }
    Generated: never
  }
  spool: {
    Row: {
      id: number
      publication_id: string
      event: Json
      session_key: string
      spooled_at: string
    }
    Generated: 'session_key'
  }
  spool_state: {
    Row: {
      only_row: boolean
      era: number
      phase: string
      closing_until: string | null
      log_down_at: string | null
      drainer: string | null
      drainer_until: string | null
    }
    Generated: never
  }
  status_transitions: {
    Row: {
      from_status: string | null
      to_status: string
    }
    Generated: never
  }
  tenants: {
    Row: {
      id: string
      name: string
      settings: Json
      created_at: string
    }
    Generated: never
  }
}
