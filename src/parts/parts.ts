/** What main has opened, in this order; each part gets those that it needs. */
import type { MediaOfAccounts } from '../actors/media-fetcher.ts'
import type { Config } from '../config.ts'
import type { MachineRegistry } from '../machines/registry.ts'
import type { ProcessTelemetry } from '../infra/telemetry/telemetry.ts'
import type { CarePart } from './care.ts'
import type { AssistantPart } from './assistant.ts'
import type { DatabasePart } from './database.ts'
import type { LogPart } from './log.ts'
import type { ProviderPart } from './provider.ts'

export type Parts = {
  readonly config: Config
  readonly url: string
  readonly publicUrl: string
  readonly apiToken: string
  readonly telemetry: ProcessTelemetry
  readonly machines: MachineRegistry
  readonly log: LogPart
  readonly database: DatabasePart
  readonly provider: ProviderPart
  readonly media: MediaOfAccounts
  readonly care: CarePart
  readonly assistant: AssistantPart
}
