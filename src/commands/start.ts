/** `duologue start`: what `npm start` does. */
import { run } from '../main.ts'
import { WrongUse } from './command.ts'
import type { CommandCall } from './command.ts'

export async function runStart({ words }: CommandCall): Promise<null> {
  if (words.length > 0) throw new WrongUse('start takes no arguments: settings come from the environment')
  await run()
  return null
}
