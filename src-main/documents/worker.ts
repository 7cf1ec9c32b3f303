import { parentPort, workerData } from 'node:worker_threads'
import { UserError } from '../contract/errors.ts'
import { realDisk } from './disk.ts'
import type { PixelAnswer, PixelRequest } from './pixels/calls.ts'
import { PixelService, type PixelServiceOptions } from './pixels/service.ts'

/** The thread of the pixel service: requests in, answers out. No ONNX Runtime may ever be loaded here, it crashes in worker threads. */
const port = parentPort
if (port === null) throw new Error('this file is the entry of a worker thread')
const service = new PixelService(realDisk, workerData as PixelServiceOptions)

port.on('message', (request: PixelRequest) => {
  void answer(request).then((message) => port.postMessage(message))
})

async function answer({ call, method, arguments: given }: PixelRequest): Promise<PixelAnswer> {
  try {
    const run = service[method] as (...given: readonly unknown[]) => Promise<unknown>
    return { call, kind: 'done', result: await run.apply(service, [...given]) }
  } catch (error) {
    if (error instanceof UserError) return { call, kind: 'user', code: error.code, message: error.message }
    const defect = error instanceof Error ? error : new Error(String(error))
    return { call, kind: 'defect', message: defect.message, stack: defect.stack ?? '' }
  }
}
