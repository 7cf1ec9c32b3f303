import { Worker } from 'node:worker_threads'
import { z } from 'zod'
import { failureSchema } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import { partKindSchema } from '../contract/model-library.ts'
import { modelManifestSchema } from '../contract/model-manifest.ts'
import type { Recognise, Recognised } from '../models/index.ts'

const recognisedSchema = z.object({
  part: partKindSchema,
  family: modelManifestSchema.shape.family.nullable(),
  says: z.string(),
  missing: z.array(z.string()),
  facts: modelManifestSchema
    .pick({
      kind: true,
      family: true,
      nativeSize: true,
      prediction: true,
      zeroTerminalSnr: true,
      spacing: true,
      latentChannels: true,
      guideChannels: true,
      clipImageSize: true,
      imageTokens: true,
    })
    .nullable(),
})
const answerSchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), value: recognisedSchema }),
  z.object({ ok: z.literal(false), failure: failureSchema }),
])

/** Headers of the largest models take far less. */
const DEADLINE_MS = 20_000
const MOST_MEGABYTES = 1024

/** The engine's recognition in a thread that is ended when a file keeps it busy. @param script the bundled `engine/weights/recognise-worker.ts` */
export function recogniseInThread(script: string, deadlineMs = DEADLINE_MS): Recognise {
  return async (path) =>
    await new Promise<Recognised>((resolve, reject) => {
      const worker = new Worker(script, { workerData: path, resourceLimits: { maxOldGenerationSizeMb: MOST_MEGABYTES } })
      const end = (failure: Error | null, value?: Recognised): void => {
        clearTimeout(timer)
        void worker.terminate()
        if (value) resolve(value)
        else reject(failure ?? new Error(`${script}: ended without an answer`))
      }
      const timer = setTimeout(() => end(new UserError('model-unknown', `${path}: its headers could not be read within ${deadlineMs / 1000} s`)), deadlineMs)
      worker.once('message', (message: unknown) => {
        const answer = answerSchema.parse(message)
        if (answer.ok) end(null, answer.value)
        else end(new UserError(answer.failure.code, answer.failure.message))
      })
      worker.once('error', (error: unknown) =>
        end(new UserError('model-unknown', `${path}: its headers cannot be read (${error instanceof Error ? error.message : String(error)})`)),
      )
      worker.once('exit', () => end(null))
    })
}
