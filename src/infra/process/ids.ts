/** UUIDv7 from the runtime (`Ids`). */
import { randomUUIDv7 } from 'node:crypto'

import type { Ids } from '../../actors/ports.ts'

export const processIds: Ids = { next: () => randomUUIDv7() }
