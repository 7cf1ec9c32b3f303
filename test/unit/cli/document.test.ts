import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { addDocument } from '../../../src-main/cli/document.ts'
import { failureOf, temporaryFolder } from '../documents/helpers.ts'

const FIXTURE = join(import.meta.dirname, '..', 'documents', 'fixtures', 'format-1.larkspur')

/** Runs `document ...` and answers what it wrote on stdout. */
async function output(...args: string[]): Promise<string> {
  let said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk)
    return true
  })
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const program = new Command().exitOverride()
  addDocument(program)
  await program.parseAsync(['document', ...args], { from: 'user' })
  return said
}

afterEach(() => vi.restoreAllMocks())

describe('larkspur document', () => {
  it('prints one JSON object and nothing else on stdout', async () => {
    expect(JSON.parse(await output('info', FIXTURE, '--json'))).toMatchObject({ width: 90, height: 60, depth: 16 })
    expect(JSON.parse(await output('verify', FIXTURE, '--json'))).toEqual({ path: FIXTURE, sound: true, parts: 10, pictures: 5, layers: 3 })
    const out = join(await temporaryFolder(), 'o.png')
    expect(JSON.parse(await output('export', FIXTURE, '--out', out, '--json'))).toEqual({ out })
  })

  it('marks the current path for a person', async () => {
    expect((await output('info', FIXTURE)).split('\n')[1]).toBe('* root  Original')
  })

  it('says what is wrong with a file', async () => {
    expect((await failureOf(output('verify', import.meta.filename))).message).toBe(`${import.meta.filename}: not a .larkspur document`)
  })
})
