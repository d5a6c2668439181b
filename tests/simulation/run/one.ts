import { makeScenario } from '../world/make-scenario.ts'
import { runScenario } from '../world/run-scenario.ts'
const from = Number(process.argv[2]), to = Number(process.argv[3] ?? from)
const t = performance.now(); let steps = 0, chart = 0, failing = 0, virtual = 0
for (let seed = from; seed <= to; seed += 1) {
  const r = await runScenario(makeScenario(seed), process.env.TRACE ? (l) => console.log(l) : null)
  steps += r.steps; chart += r.chartSteps; virtual += r.virtualMs
  if (r.violations.length) { failing += 1; console.log(seed, r.violations.slice(0, 3)) }
  if (from === to) console.log(r)
}
console.log({ seeds: to - from + 1, failing, steps, chart, hours: virtual / 3.6e6, s: (performance.now() - t) / 1000 })
