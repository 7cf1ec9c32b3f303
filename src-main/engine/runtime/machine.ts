import { createRequire } from 'node:module'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { arch, release } from 'node:os'
import { join } from 'node:path'

// Not an import: a bundle leaves the package outside and drops the attribute that Node wants of JSON.
const runtime = createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string }

/** What the system says of graphics cards without one being opened. Where it says nothing the answer is "perhaps". */
export interface Graphics {
  /** False where there is no device file of any graphics card; null where the system is not Linux. */
  readonly card: boolean | null
  /** Every Vulkan driver that is installed renders in software. */
  readonly software: boolean
  /** Memory of the card in bytes, where its driver tells. */
  readonly memoryBytes: number | null
  /** Changes with the driver: what was tried with another one has to be tried again. */
  readonly mark: string
}

export function readGraphics(): Graphics {
  if (process.platform !== 'linux') return { card: null, software: false, memoryBytes: null, mark: release() }
  const drivers = vulkanDrivers()
  const cards = drmCards()
  const nvidia = read('/sys/module/nvidia/version')
  return {
    card: cards.length > 0 || nvidia !== '' || existsSync('/dev/nvidia0'),
    software: drivers.length > 0 && drivers.every(({ library }) => isSoftware(library)),
    memoryBytes: cards.reduce<number | null>((most, { memoryBytes }) => (memoryBytes === null ? most : Math.max(most ?? 0, memoryBytes)), null),
    mark: JSON.stringify([release(), nvidia, cards.map(({ id }) => id), drivers.map(({ library, changedMs }) => [library, changedMs])]),
  }
}

/** What an answer of a probe holds for: this runtime, on this system, with these drivers. */
export function probeKey(app: string, graphics: Graphics): string {
  return [app, `onnxruntime ${runtime.version}`, process.platform, arch(), graphics.mark].join(' | ')
}

/** SwiftShader, Mesa's llvmpipe and lavapipe, Windows' basic renderer. */
export function isSoftware(library: string): boolean {
  return /swiftshader|lvp|lavapipe|llvmpipe|warp/i.test(library)
}

const ICD_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d']

/** Vulkan's drivers as its loader finds them: the manifests that the environment names, or those of the system. */
function vulkanDrivers(): { library: string; changedMs: number }[] {
  const named = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES']
  const files =
    named === undefined || named === ''
      ? ICD_FOLDERS.flatMap((folder) => list(folder).map((name) => join(folder, name))).filter((path) => path.endsWith('.json'))
      : named.split(':')
  return files.flatMap((file) => {
    const library = /"library_path"\s*:\s*"([^"]+)"/.exec(read(file))?.[1]
    return library === undefined ? [] : [{ library, changedMs: Math.round(statSync(file).mtimeMs) }]
  })
}

function drmCards(): { id: string; memoryBytes: number | null }[] {
  const folder = '/sys/class/drm'
  return list(folder)
    .filter((name) => /^card\d+$/.test(name))
    .map((name) => {
      const device = join(folder, name, 'device')
      const memory = Number(read(join(device, 'mem_info_vram_total')))
      return { id: `${read(join(device, 'vendor'))} ${read(join(device, 'device'))}`, memoryBytes: memory > 0 ? memory : null }
    })
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return ''
  }
}
