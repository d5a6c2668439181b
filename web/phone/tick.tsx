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
  sending: 'M12 3a5 5 0 1 0 0 10 5 5 0 0 0 0-10M12 5.4V8l1.9 1.2',
  sent: 'M6.5 8.6 9.4 11.5 16 4.9',
  delivered: 'M2 8.6 4.9 11.5 11.5 4.9M8.6 10.7l.8.8L16 4.9',
  read: 'M2 8.6 4.9 11.5 11.5 4.9M8.6 10.7l.8.8L16 4.9',
  failed: 'M12 3a5 5 0 1 0 0 10 5 5 0 0 0 0-10M12 5.6v2.9M12 10.6v.05',
}

export function Tick({ status }: { readonly status: Message['status'] }) {
  return (
    <svg
      class="tick"
      data-status={status}
      viewBox="0 0 18 16"
      width="18"
      height="16"
      role="img"
      aria-label={words[status]}
    >
      <title>{words[status]}</title>
      <path
        d={paths[status]}
        fill="none"
        stroke="currentColor"
        stroke-width="1.5"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  )
}
