import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { compareOutput } from '../../../../src-main/engine/parity/compare.ts'
import { runParity } from '../../../../src-main/engine/parity/run-parity.ts'

const floats = (...numbers: number[]) => ({ shape: [numbers.length], data: Float32Array.from(numbers) })
const loose = { atol: 0.1, rtol: 0.01, exact: false, atLeast: 0 }

describe('the judge', () => {
  it('allows atol + rtol times the peak and nothing more', () => {
    expect(compareOutput('x', floats(10, 0.19), floats(10, 0), loose)).toMatchObject({ passed: true })
    expect(compareOutput('x', floats(10, 0.21), floats(10, 0), loose)).toMatchObject({ passed: false })
  })

  it('wants exact outputs equal', () => {
    expect(compareOutput('x', floats(1), floats(1), { ...loose, exact: true }).passed).toBe(true)
    expect(compareOutput('x', floats(1.0001), floats(1), { ...loose, exact: true }).passed).toBe(false)
  })

  it('fails on a missing output, another shape, and numbers that are none', () => {
    expect(compareOutput('x', undefined, floats(1), loose).passed).toBe(false)
    expect(compareOutput('x', { ...floats(1, 2), shape: [2, 1] }, floats(1, 2), loose).passed).toBe(false)
    expect(compareOutput('x', floats(NaN), floats(1), loose).passed).toBe(false)
    expect(compareOutput('x', floats(Infinity), floats(1), loose).passed).toBe(false)
  })
})

describe('a set', () => {
  it('fails where its expectation is changed, and only there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'larkspur-set-'))
    await cp(join(import.meta.dirname, '../../../parity/sets/largen-image'), folder, { recursive: true })
    const description = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as { cases: { name: string; params: Record<string, unknown> }[] }
    for (const one of description.cases) if (one.name === 'zoom_tall') one.params['expand'] = 1.6
    await writeFile(join(folder, 'cases.json'), JSON.stringify(description))
    const result = await runParity(folder, { only: (name) => name.startsWith('zoom_t') })
    expect(result.cases.filter((one) => !one.passed).map((one) => one.name)).toEqual(['zoom_tall'])
    await rm(folder, { recursive: true })
  })

  it('that is none is refused', async () => {
    await expect(runParity(tmpdir())).rejects.toThrow(/cases.json: no such file/)
  })
})
