/**
 * UUIDv7 (`Ids`). The library counts within a millisecond, so that ids made by one process sort in the
 * order in which they were made; the runtime's own randomUUIDv7 does not.
 */
import { v7 } from 'uuid'

import type { Ids } from '../../actors/ports.ts'

export const processIds: Ids = { next: () => v7() }
