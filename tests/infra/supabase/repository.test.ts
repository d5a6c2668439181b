/** The store's contract: the same on the embedded default and on PostgreSQL behind Supabase Lite's HTTP server. */
import { describe } from 'vitest'
import { backends } from '../../support/database.ts'
import { describeCommands } from './commands-suite.ts'
import { describeAssistantUsage } from './assistant-usage-suite.ts'
import { describeCommits } from './commit-suite.ts'
import { describeEffects } from './effects-suite.ts'
import { describeForms } from './forms-suite.ts'
import { describeGuards } from './guards-suite.ts'
import { describeMessages } from './messages-suite.ts'
import { describeIdentities } from './identity-suite.ts'
import { describeLive } from './live-suite.ts'
import { describeOwnership } from './ownership-suite.ts'
import { describeQuarantine } from './quarantine-suite.ts'
import { describeReach } from './reach-suite.ts'
import { describeReading } from './reading-suite.ts'
import { describeTenancy } from './tenancy-suite.ts'
import { describeReviews } from './reviews-suite.ts'
import { describeTransitions } from './transitions-suite.ts'
import { useDatabase } from './use-database.ts'
import { describeVersions } from './versions-suite.ts'

describe.each(backends)('the store on %s', (backend) => {
  const database = useDatabase(backend)
  describeOwnership(database)
  describeCommits(database)
  describeCommands(database)
  describeEffects(database)
  describeReading(database)
  describeMessages(database)
  describeGuards(database)
  describeTransitions(database)
  describeReach(database)
  describeForms(database)
  describeVersions(database)
  describeLive(database)
  describeQuarantine(database)
  describeAssistantUsage(database)
  describeIdentities(database)
  describeTenancy(database)
  describeReviews(database)
})
