/** ELK in this process, for tests of what is laid out; the service runs it in a thread of its own. */
import Elk from 'elkjs/lib/elk.bundled.js'

import type { LayoutEngine } from '../../src/charts/layout/lay-out-chart.ts'

const elk = new (Elk as unknown as new () => { layout(graph: object): Promise<object> })()

export const elkEngine: LayoutEngine = async (graph) => (await elk.layout(graph)) as typeof graph
