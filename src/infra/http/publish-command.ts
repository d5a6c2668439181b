/**
 * The one way in for commands (DESIGN D10): published like a message, judged by their owner in its turn, and the
 * outcome is a row that is waited for here. A wake over the log's server makes the wait short; the row alone decides,
 * so it is also looked for without one.
 */
import type { Clock, EventPublisher, LoggedCommand, LoggedQuarantineRelease } from '../../actors/ports.ts'
import type { CommandItem, ReadModel } from '../../actors/read-model.ts'
import { HttpProblem } from './problem.ts'

export type CommandPublication = {
  readonly readModel: Pick<ReadModel, 'getCommand'>
  readonly publisher: EventPublisher
  readonly clock: Clock
  /** Calls back when the command is settled; the returned function stops listening. */
  readonly onCommandSettled: (commandId: string, listener: () => void) => () => void
}

const waitMsMax = 5_000
/** How often the row is looked for without a wake. */
const lookEveryMs = 500

/** Null when no outcome is known in time: the command stands in the log all the same. */
export async function publishCommand(
  { publisher, clock, readModel, onCommandSettled }: CommandPublication,
  command: LoggedCommand | LoggedQuarantineRelease,
): Promise<CommandItem | null> {
  const woken = Promise.withResolvers<boolean>()
  const stopListening = onCommandSettled(command.commandId, () => woken.resolve(true))
  try {
    await publisher.publish(command)
    const giveUpAt = clock.monotonic() + waitMsMax
    for (let isWoken = false; clock.monotonic() < giveUpAt;) {
      const moment = Promise.withResolvers<boolean>()
      const cancel = clock.schedule(lookEveryMs, () => moment.resolve(isWoken))
      isWoken = await Promise.race(isWoken ? [moment.promise] : [woken.promise, moment.promise])
      cancel()
      const settled = await readModel.getCommand(command.commandId)
      if (settled !== null) return settled
    }
    return null
  } catch (error) {
    throw new HttpProblem(503, 'the log did not acknowledge the command; try again', { cause: error })
  } finally {
    stopListening()
  }
}
