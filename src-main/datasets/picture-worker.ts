import { parentPort } from 'node:worker_threads'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { datasetPicture, pictureTaskSchema } from './pictures.ts'

const questionSchema = z.strictObject({ ticket: z.int(), task: pictureTaskSchema })

/** Pictures of datasets are made in a thread of their own: decoding is heavy, and main must answer the window meanwhile. */
parentPort?.on('message', (message: unknown) => {
  const { ticket, task } = questionSchema.parse(message)
  datasetPicture(task).then(
    (bytes) => parentPort?.postMessage({ ticket, ok: true, bytes }),
    (error: unknown) => {
      const failure = { code: error instanceof UserError ? error.code : 'defect', message: error instanceof Error ? error.message : String(error) }
      parentPort?.postMessage({ ticket, ok: false, failure })
    },
  )
})
