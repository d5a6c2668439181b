/** The command line: `npm run duologue -- <command>`. */
import { runCommandLine } from './commands/command-line.ts'

const exitCode = await runCommandLine(process.argv.slice(2), {
  env: process.env,
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
})
if (exitCode !== null) process.exitCode = exitCode
