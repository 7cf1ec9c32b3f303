import Vips from 'wasm-vips'

type VipsModule = Awaited<ReturnType<typeof Vips>>
export type VipsImage = InstanceType<VipsModule['Image']>

let loading: Promise<VipsModule> | null = null

/** Loaders that may see files of strangers; every other one of libvips (SVG, CSV, raw matrices, its own format) stays blocked. */
const ALLOWED_LOADERS = ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif', 'Heif', 'Jxl']

async function load(): Promise<VipsModule> {
  const vips = await Vips({
    dynamicLibraries: ['vips-heif.wasm', 'vips-jxl.wasm'],
    // Warnings of a decoder are either errors that we report in our own words or of no interest to a person.
    preRun: (module: { ENV: Record<string, string> }) => {
      module.ENV['VIPS_WARNING'] = '0'
    },
  })
  // The engine owns the cores; one thread also keeps a decode's memory near one picture.
  vips.concurrency(1)
  // A cached operation keeps its pixels alive in a heap that never shrinks.
  vips.Cache.max(0)
  vips.operationBlock('VipsForeignLoad', true)
  for (const name of ALLOWED_LOADERS) vips.operationBlock(`VipsForeignLoad${name}`, false)
  return vips
}

/** Collects handles of one piece of work, so that they are freed together however it ends. */
export interface Scope {
  readonly vips: VipsModule
  /** Returns the image and frees it when the work is over. */
  own(image: VipsImage): VipsImage
}

/**
 * Runs `work` with libvips (WebAssembly, loaded at first use, about 0.15 s). Images that `work` makes must pass through `own`: their memory is not
 * seen by the garbage collector. The result must be plain data.
 */
export async function withVips<T>(work: (scope: Scope) => T): Promise<T> {
  loading ??= load()
  const vips = await loading
  const owned: VipsImage[] = []
  try {
    return work({
      vips,
      own(image) {
        owned.push(image)
        return image
      },
    })
  } finally {
    for (const image of owned.reverse()) image.delete()
  }
}

/** First line of what libvips said, whatever it threw: its errors are WebAssembly exceptions whose message is [class, text]. */
export function vipsReason(error: unknown): string {
  const message: unknown = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
  const text: unknown = Array.isArray(message) ? message[1] : message
  const lines = String(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('unable to'))
  return lines[0] ?? 'no reason given'
}

/** The image's samples, interleaved, of 8 or 16 bit: a copy outside the WebAssembly heap. */
export function samplesOf(image: VipsImage, depth: 8 | 16): Uint8Array | Uint16Array {
  const { buffer, byteOffset, byteLength } = image.writeToMemory()
  return depth === 8 ? new Uint8Array(buffer, byteOffset, byteLength) : new Uint16Array(buffer, byteOffset, byteLength / 2)
}
