import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'

// Real graphics cards are not where this is tested. Electron brings a Vulkan driver made of software, SwiftShader: as strict about shaders as a card, and slow, so only cases of
// one run of a small network are run, each in a process of its own, because a driver may take its process with it.
const root = join(import.meta.dirname, '../..')
const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'] ?? join(root, '.electron', 'dist')
const driver = join(dist, 'vk_swiftshader_icd.json')
const reason = process.platform !== 'linux' ? 'the software driver is tried on Linux alone' : existsSync(driver) ? null : `${driver} is not there; node build/prepare.mjs fetches it`
if (reason !== null) console.warn(`parity on webgpu is skipped: ${reason}`)

const home = mkdtempSync(join(tmpdir(), 'larkspur-webgpu-'))
afterAll(() => rmSync(home, { recursive: true }))

async function parity(set: string, only: string, env: Record<string, string>, more: readonly string[] = []): Promise<unknown> {
  const args = ['--import', 'tsx', 'src-main/cli/main.ts', 'parity', `test/parity/sets/${set}`, '--provider', 'webgpu', '--case', only, '--json', ...more]
  const run = promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, LARKSPUR_MODELS: home, ...env } })
  return JSON.parse((await run).stdout.trim().split('\n').at(-1) ?? '')
}

describe.skipIf(reason !== null)('the webgpu provider on a driver made of software', () => {
  it.each([
    ['tiny-vae', '_1', 2],
    ['ip-adapter-plus', 'resampler', 1],
    ['ip-adapter-plus', 'unet_scale0.3', 1],
    // Its residual streams are small, so that an epsilon of another norm shows.
    ['sd15-inpaint', 'unet_t981', 1],
    ['largen-sd15', 'eps_text_subject_beta0.3', 1],
    ['lora', 'unet_two', 1],
    ['sdxl-base', 'unet_1', 1],
    ['largen-sdxl', 'plain.eps_text_subject_beta0.3', 1],
    ['paint-by-example', 'unet_batch2', 1],
    ['mini', 'v_beta0.3', 1, ['--model', 'resources/models/mini']],
  ] as const)('%s %s', { timeout: 300_000 }, async (set, only, count, model: readonly string[] = []) => {
    expect(await parity(set, only, { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: dist }, model)).toMatchObject({ passed: count, failed: 0 })
  })

  it('says what is wrong where there is no driver', { timeout: 60_000 }, async () => {
    const other = join(home, 'none')
    await expect(parity('tiny-vae', '_1', { VK_ICD_FILENAMES: '/none.json', LD_LIBRARY_PATH: '', LARKSPUR_MODELS: other })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Provider webgpu cannot be used here: ') as string,
    })
  })
})
