import { InferenceSession } from 'onnxruntime-node'
import { UserError } from '../../contract/errors.ts'
import { sessionOptions } from '../runtime/session-options.ts'

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
  try {
    return await InferenceSession.create(path, sessionOptions('cpu', null))
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
    throw new UserError('model-missing', `${path}: the network for ${purpose} cannot be opened (${reason})`)
  }
}
