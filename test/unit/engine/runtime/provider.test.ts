import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UserError } from '../../../../src-main/contract/errors.ts'
import { noAnswer, type ProbeAnswer, type ProviderName, type ProviderWish } from '../../../../src-main/contract/provider.ts'
import { fellBackLine, withFallBack } from '../../../../src-main/engine/fall-back.ts'
import { Cancelled } from '../../../../src-main/engine/job.ts'
import { Devices } from '../../../../src-main/engine/runtime/devices.ts'
import { isSoftware } from '../../../../src-main/engine/runtime/machine.ts'
import { remembering } from '../../../../src-main/engine/runtime/probe-book.ts'
import { builtInProviders, candidatesFor, namedProvider, whyNot, type MachineFacts } from '../../../../src-main/engine/runtime/provider.ts'

const GIB = 2 ** 30

function machine(platform: NodeJS.Platform, present: ProviderName[], graphics: Partial<MachineFacts['graphics']> = {}): MachineFacts {
  return { platform, present, graphics: { card: null, software: false, memoryBytes: null, ...graphics } }
}

function works(provider: ProviderName, over: Partial<ProbeAnswer> = {}): ProbeAnswer {
  return { provider, works: true, reason: '', speed: 8, software: false, halves: true, fusedAttention: true, ...over }
}

describe('providers worth a trial', () => {
  it.each<[string, MachineFacts, ProviderName[]]>([
    ['Windows', machine('win32', ['cpu', 'webgpu', 'dml']), ['dml', 'webgpu']],
    ['macOS', machine('darwin', ['cpu', 'webgpu', 'coreml']), ['coreml', 'webgpu']],
    ['Linux with a card', machine('linux', ['cpu', 'webgpu'], { card: true }), ['webgpu']],
    ['Linux with CUDA', machine('linux', ['cpu', 'webgpu', 'cuda'], { card: true }), ['cuda', 'webgpu']],
    ['Linux without a card', machine('linux', ['cpu', 'webgpu'], { card: false }), []],
    ['Linux that renders in software', machine('linux', ['cpu', 'webgpu'], { card: true, software: true }), []],
    ['a card with 2 GiB', machine('linux', ['cpu', 'webgpu'], { card: true, memoryBytes: 2 * GIB }), []],
    ['a card with 8 GiB', machine('linux', ['cpu', 'webgpu'], { card: true, memoryBytes: 8 * GIB }), ['webgpu']],
    ['a runtime with nothing else', machine('win32', ['cpu']), []],
  ])('%s', (_, facts, expected) => {
    expect(candidatesFor(facts)).toEqual(expected)
  })

  it('are refused by name where they are missing', () => {
    expect(builtInProviders()).toContain('cpu')
    expect(() => namedProvider('abacus', ['cpu'])).toThrow('"abacus" is not available here; this runtime has cpu.')
  })

  it.each(['libvk_swiftshader.so', '/usr/lib/x86_64-linux-gnu/libvulkan_lvp.so'])('know %s for software', (library) => {
    expect(isSoftware(library)).toBe(true)
  })
})

describe('the choice', () => {
  const settled = async (wish: ProviderWish, facts: MachineFacts, answers: ProbeAnswer[]) => {
    const asked: ProviderName[] = []
    const devices = new Devices(
      wish,
      (provider) => {
        asked.push(provider)
        return Promise.resolve(answers.find((answer) => answer.provider === provider) ?? noAnswer(provider, 'nothing'))
      },
      null,
      facts,
    )
    const { provider, dialect } = await devices.current()
    return { provider, dialect, asked, notice: devices.takeNotice() }
  }
  const windows = machine('win32', ['cpu', 'webgpu', 'dml'])

  it('auto takes the first that works and is worth it, and asks no more', async () => {
    expect(await settled('auto', windows, [works('dml')])).toMatchObject({ provider: 'dml', asked: ['dml'], notice: null })
    expect(await settled('auto', windows, [noAnswer('dml', 'no driver'), works('webgpu')])).toMatchObject({ provider: 'webgpu', asked: ['dml', 'webgpu'] })
  })

  it('auto leaves what is wrong, slow, or made of software, without a word', async () => {
    for (const answer of [noAnswer('dml', 'wrong'), works('dml', { speed: 1.2 }), works('dml', { software: true, speed: null })])
      expect(await settled('auto', windows, [answer])).toMatchObject({ provider: 'cpu', notice: null })
    expect([whyNot(works('dml')), whyNot(works('dml', { speed: 1.2 })), whyNot(works('dml', { software: true }))]).toEqual([null, 'slow', 'software'])
  })

  it('writes graphs as the trial found the provider', async () => {
    const { dialect } = await settled('webgpu', windows, [works('webgpu', { halves: false, fusedAttention: false })])
    expect(dialect).toEqual({ halves: false, storesHalves: false, fusedAttention: false, oneEpsilon: true })
  })

  it('a named provider is taken when it works, even a slow one, and left with its reason when not', async () => {
    expect(await settled('webgpu', windows, [works('webgpu', { software: true, speed: null })])).toMatchObject({ provider: 'webgpu', notice: null })
    expect(await settled('webgpu', windows, [])).toMatchObject({ provider: 'cpu', notice: { provider: 'webgpu', reason: 'nothing' } })
    expect(await settled('cuda', windows, [])).toMatchObject({ provider: 'cpu', asked: [], notice: { provider: 'cuda', reason: /this runtime has cpu/ } })
  })

  it('does not go back to a provider that took its process down', async () => {
    const failed = { provider: 'dml', reason: 'the engine process ended' } as const
    const devices = new Devices('auto', () => Promise.reject(new Error('must not be tried')), failed, windows)
    expect((await devices.current()).provider).toBe('cpu')
    expect(devices.takeNotice()).toEqual(failed)
  })
})

describe('falling back', () => {
  const onDml = () => new Devices('dml', () => Promise.resolve(works('dml')), null, machine('win32', ['cpu', 'dml']))

  it('does the work once more on the cpu, stays there, and tells why', async () => {
    const devices = onDml()
    const [tried, told]: [string[], string[]] = [[], []]
    const work = ({ provider }: { provider: string }) => {
      tried.push(provider)
      return provider === 'cpu' ? Promise.resolve(42) : Promise.reject(new Error('device\nremoved.'))
    }
    const run = () => withFallBack(devices, (left) => told.push(fellBackLine(left)), work)
    expect([await run(), await run()]).toEqual([42, 42])
    expect(tried).toEqual(['dml', 'cpu', 'cpu'])
    expect(told).toEqual(['Provider dml cannot be used, so the processor computes: device removed.'])
  })

  it('takes a full memory of the card for a failure of the provider, but no mistake of a person and no cancel', async () => {
    const failing = (error: Error) =>
      withFallBack(
        onDml(),
        () => undefined,
        ({ provider }) => (provider === 'cpu' ? Promise.resolve('cpu') : Promise.reject(error)),
      )
    expect(await failing(new UserError('out-of-memory', 'full'))).toBe('cpu')
    await expect(failing(new UserError('bad-size', 'odd'))).rejects.toThrow('odd')
    await expect(failing(new Cancelled('stop'))).rejects.toThrow('stop')
  })

  it('on the cpu there is nothing to fall back to', async () => {
    const devices = new Devices('cpu', () => Promise.reject(new Error('not asked')))
    await expect(
      withFallBack(
        devices,
        () => undefined,
        () => Promise.reject(new Error('broken')),
      ),
    ).rejects.toThrow('broken')
  })
})

describe('what came of a trial', () => {
  let folder: string
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'larkspur-probes-'))))
  afterAll(async () => await rm(folder, { recursive: true }))

  it('is remembered for one application and its drivers, and a broken file costs one more trial', async () => {
    const file = join(folder, 'deep', 'providers.json')
    let trials = 0
    const ask = (provider: ProviderName) => Promise.resolve({ ...works(provider), speed: ++trials })
    expect((await remembering(file, 'larkspur 1', ask)('dml')).speed).toBe(1)
    expect((await remembering(file, 'larkspur 1', ask)('dml')).speed).toBe(1)
    expect((await remembering(file, 'larkspur 1', ask)('webgpu')).speed).toBe(2)
    expect((await remembering(file, 'larkspur 2', ask)('dml')).speed).toBe(3)
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ answers: [{ provider: 'dml' }] })
  })
})
