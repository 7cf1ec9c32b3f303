import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import { UserError } from '../../contract/errors.ts'
import type { Graph } from '../graphs/builder.ts'
import type { Device } from './device.ts'
import { sessionOptions } from './session-options.ts'
import type { Tensor } from './tensor.ts'

/** Token ids, the one input that is not floating. */
export interface IdTensor {
  readonly data: Int32Array
  readonly shape: readonly number[]
}

/** A network that is ready to run. */
export interface Network {
  /** Bytes of its weights in memory. */
  readonly weightBytes: number
  /** @param inputs by the names of the graph @returns the outputs by name, or those named in `wanted` */
  run(inputs: Readonly<Record<string, Tensor | IdTensor>>, wanted?: readonly string[]): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

// [Note: where weights lie]
// onnxruntime-node refuses external data outside the model's own folder, and a model from memory has no folder. The session entry
// `session.model_external_initializers_file_folder_path` names one; locations are relative to it and symlinks must be resolved before
// (the weight readers do). Offsets need no alignment.
// [Note: memory of runs]
// The runtime's arena keeps what a run used for the next one. Of a network that runs once or twice a job that is memory lost: an autoencoder's encoder of full size at 512 pixels
// kept 0.74 GB. Without the arena it took no more processor time (13.4 s against 14.0 s); the U-Net, which runs at each step, took 1.5 % more and saved little.
export async function loadNetwork(graph: Graph, { provider, dialect }: Device): Promise<Network> {
  const options = { ...sessionOptions(provider, graph.weightFolder, graph.angles), enableCpuMemArena: graph.eachStep }
  const session = await InferenceSession.create(graph.write(dialect), options).catch(explain)
  return {
    weightBytes: graph.weightBytes,
    run: async (inputs, wanted) => {
      const feeds: Record<string, OrtTensor> = {}
      for (const [name, { data, shape }] of Object.entries(inputs)) {
        feeds[name] = data instanceof Int32Array ? new OrtTensor('int32', data, shape) : new OrtTensor('float32', data, shape)
      }
      const results = await (wanted === undefined ? session.run(feeds) : session.run(feeds, wanted)).catch(explain)
      const outputs: Record<string, Tensor> = {}
      for (const [name, { data, dims }] of Object.entries(results)) {
        if (!(data instanceof Float32Array)) throw new TypeError(`Output "${name}" is not made of 32-bit floats.`)
        outputs[name] = { data, shape: dims }
      }
      return outputs
    },
    release: () => session.release(),
  }
}

/** A full memory is the user's to mend; whatever else the runtime says is a defect and passes on as it is. */
function explain(error: unknown): never {
  const text = error instanceof Error ? error.message : String(error)
  if (/bad_?alloc|bad allocation|out of memory|failed to allocate/i.test(text)) {
    throw new UserError('out-of-memory', 'The memory is not enough for this model at this size; close other programs, or choose a smaller size.')
  }
  throw error
}
