/** What a reader calls an event: `draftReply is done`, `idleTimeout passes`. */
export function toEventName(type: string): string {
  if (type.startsWith('xstate.done.actor.')) return `${type.slice('xstate.done.actor.'.length)} is done`
  if (type.startsWith('xstate.error.actor.')) return `${type.slice('xstate.error.actor.'.length)} fails`
  if (type.startsWith('xstate.after.')) return `${type.slice('xstate.after.'.length).split('.')[0] ?? ''} passes`
  return type
}
