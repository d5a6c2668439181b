/** What reads voice messages: does the endpoint take the key, does it know the model, does it read a recording. */
import type { Config } from '../../config.ts'
import { createTranscribeEndpoint } from '../../infra/ai/transcribe-endpoint.ts'
import { describeModel } from '../../parts/assistant.ts'
import { bad, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const check = 'voice messages'
const answerMs = 20_000
const samplesPerSecond = 8_000

/** Sends half a second of silence; the endpoint may charge for it. */
export async function checkTranscriber({ transcribe }: Config): Promise<Finding> {
  if (transcribe === null) return ok(check, 'nobody reads them: users are asked to write')
  const where = describeModel(transcribe)
  const recording = { bytes: toSilence(samplesPerSecond / 2), contentType: 'audio/wav' }
  const answer = await createTranscribeEndpoint(transcribe).transcribe(recording, AbortSignal.timeout(answerMs))
  if (answer.kind !== 'failed') return ok(check, `${where} reads them`)
  const text = `${where}: ${answer.code === 'ended' ? `no answer within ${answerMs / 1_000} s` : answer.message}`
  if (answer.code === 'unauthorized') return bad(check, text, 'it refuses TRANSCRIBE_API_KEY')
  if (answer.code === 'not-found' || answer.code === 'unreachable') {
    return bad(
      check,
      text,
      'are TRANSCRIBE_BASE_URL (it ends before /audio/transcriptions) and TRANSCRIBE_MODEL right?',
    )
  }
  return warn(check, text, 'while it does not read them, users are asked to write')
}

/** A WAV file of one channel with 16 bits a sample, all of them zero. */
function toSilence(samples: number): Uint8Array<ArrayBuffer> {
  const headerBytes = 44
  const dataBytes = samples * 2
  const file = new Uint8Array(headerBytes + dataBytes)
  const view = new DataView(file.buffer)
  const write = (at: number, text: string): void => file.set(Buffer.from(text, 'latin1'), at)
  write(0, 'RIFF')
  view.setUint32(4, headerBytes - 8 + dataBytes, true)
  write(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, samplesPerSecond, true)
  view.setUint32(28, samplesPerSecond * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  write(36, 'data')
  view.setUint32(40, dataBytes, true)
  return file
}
