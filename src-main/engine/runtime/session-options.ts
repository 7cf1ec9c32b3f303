import type { InferenceSession } from 'onnxruntime-node'
import type { ProviderName } from '../../contract/provider.ts'
import { threadCount } from './threads.ts'

// [Note: threads that wait]
// By default a session's threads keep turning while they wait for work, also after a run. A job alternates between sessions (RefineNet, U-Net), and
// beside it a window wants to be drawn: on two busy cores two sessions in turn took 440 ms a run with turning threads and 115 ms with sleeping
// ones, at less than half the processor time; alone on the machine sleeping costs a small network about a tenth.
// [Note: layout of webgpu] Left to itself the webgpu provider turns pictures round to channels-last, and its 3x3 convolution is then wrong without an error where the channels are
// no multiple of 4 and more than a few: the first layer of every inpainting U-Net has 9. Channels-first is right.
/**
 * Options that every session of the engine has.
 * @param onCpu names of nodes that a graphics card would compute too roughly
 * @param weightFolder folder that external weights are relative to, see [Note: where weights lie]; null for a model that holds its own
 */
export function sessionOptions(provider: ProviderName, weightFolder: string | null, onCpu: readonly string[] = []): InferenceSession.SessionOptions {
  const threads = threadCount()
  return {
    executionProviders: [
      provider === 'webgpu' ? { name: 'webgpu', preferredLayout: 'NCHW', ...(onCpu.length === 0 ? {} : { forceCpuNodeNames: onCpu }) } : provider,
    ],
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
        ...(weightFolder === null ? {} : { model_external_initializers_file_folder_path: weightFolder }),
      },
    },
  }
}
