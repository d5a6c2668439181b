/** How far a message came: a clock, one tick, two ticks, two coloured ticks, or a mark of failure. */
import type { Message } from './api.ts'

const words: { readonly [status in Message['status']]: string } = {
  sending: 'sending',
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  failed: 'not delivered',
}

const paths: { readonly [status in Message['status']]: string } = {
  sending: 'M9 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M9 5v3.2l2.2 1.3',
  sent: 'M4 8.5 7 11.5 13.5 5',
  delivered: 'M1 8.5 4 11.5 10.5 5M7.6 11l.6.6L14.8 5',
  read: 'M1 8.5 4 11.5 10.5 5M7.6 11l.6.6L14.8 5',
  failed: 'M9 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11M9 5v3.6M9 10.8v.1',
}

export function Tick({ status }: { readonly status: Message['status'] }) {
  return (
    <svg class="tick" data-status={status} viewBox="0 0 16 16" width="16" height="16" role="img" aria-label={words[status]}>
      <title>{words[status]}</title>
      <path d={paths[status]} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />
    </svg>
  )
}
