/** `npm run check`: format, lint, types and fast tests, in seconds. */
import { runChecks } from './check/checks.mjs'

const { wrong, passed } = await runChecks()
console.log(wrong.length === 0 ? `all right, ${passed} fast tests passed` : `wrong: ${wrong.join(', ')}`)
if (wrong.length > 0) process.exitCode = 1
