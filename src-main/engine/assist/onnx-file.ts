import { InferenceSession } from 'onnxruntime-node'
import { UserError } from '../../contract/errors.ts'
import { threadCount } from '../runtime/provider.ts'

/** Opens an ONNX file at its first use and keeps it; always on cpu, where these small networks are exact and quick enough. */
export function onnxFile(path: string, purpose: string): () => Promise<InferenceSession> {
  let opening: Promise<InferenceSession> | null = null
  return () => {
    opening ??= open(path, purpose).catch((error: unknown) => {
      opening = null
      throw error
    })
    return opening
  }
}

async function open(path: string, purpose: string): Promise<InferenceSession> {
  const threads = threadCount()
  try {
    return await InferenceSession.create(path, {
      executionProviders: ['cpu'],
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    })
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    throw new UserError('model-missing', `${path}: the network for ${purpose} cannot be opened (${reason})`)
  }
}
