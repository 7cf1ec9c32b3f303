import type { PreTrainedModel, PreTrainedTokenizer, Tensor } from '@huggingface/transformers'
import { sessionOptions } from '../../engine/runtime/session-options.ts'
import { UserError } from '../../contract/errors.ts'
import type { PublishedFolder } from './folder.ts'

type Library = typeof import('@huggingface/transformers')

let loaded: Promise<Library> | null = null

/** transformers.js, shut off from the network: it reads folders and nothing else. Loaded when the first published stage works, since most builds need none. */
export function transformers(): Promise<Library> {
  loaded ??= import('@huggingface/transformers').then((library) => {
    library.env.allowRemoteModels = false
    library.env.allowLocalModels = true
    library.env.useFSCache = false
    library.env.useBrowserCache = false
    library.env.logLevel = library.LogLevel.ERROR
    return library
  })
  return loaded
}

/** A class of transformers.js that opens a folder as an instance of itself, though its types say only that it is some network. */
interface Opener<T> {
  new (...parts: never[]): T
  from_pretrained(folder: string, options: object): Promise<unknown>
}

/** @throws UserError `bad-model` when a graph cannot be opened */
export async function openModel<T extends PreTrainedModel>(opener: Opener<T>, { path }: PublishedFolder): Promise<T> {
  const options = { dtype: 'fp32', device: 'cpu', local_files_only: true, session_options: sessionOptions('cpu', null) }
  const model = await opened(path, opener.from_pretrained(path, options))
  if (model instanceof opener) return model
  throw new UserError('bad-model', `${path}: transformers.js opens it as another kind of network; look at config.json`)
}

/** @throws UserError `bad-model` */
export async function openTokenizer({ path }: PublishedFolder): Promise<PreTrainedTokenizer> {
  const { AutoTokenizer } = await transformers()
  return await opened(path, AutoTokenizer.from_pretrained(path, { local_files_only: true }))
}

async function opened<T>(path: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening
  } catch (error) {
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new UserError('bad-model', `${path}: could not be opened (${line.slice(0, 300)})`)
  }
}

/** The numbers of a float tensor that a network gave. */
export function floatsOf(tensor: Tensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data
  throw new RangeError(`a network gave ${tensor.type}, expected float32`)
}

/** A network that is opened when it is first needed and can be let go and opened again. */
export class OnDemand<T extends { dispose(): Promise<unknown> }> {
  private readonly open: () => Promise<T>
  private value: Promise<T> | null = null

  constructor(open: () => Promise<T>) {
    this.open = open
  }

  async get(): Promise<T> {
    this.value ??= this.open()
    try {
      return await this.value
    } catch (error) {
      this.value = null
      throw error
    }
  }

  async release(): Promise<void> {
    const { value } = this
    this.value = null
    await (await value)?.dispose()
  }
}
