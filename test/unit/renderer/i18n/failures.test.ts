import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { failuresDe } from '../../../../src-renderer/i18n/failures.ts'
import { failureLine, setLocale } from '../../../../src-renderer/i18n/index.svelte.ts'

const source = resolve(import.meta.dirname, '..', '..', '..', '..', 'src-main')
/** Parts whose failures reach the window. */
const PARTS = ['contract', 'pictures', 'documents', 'manifests', 'models', 'engine', 'datasets', 'evaluation', 'shell']

/** Codes that no person meets in the window: commands alone raise them, or only a defect of ours does. Their lines are shown as they are. */
const AS_THEY_ARE: ReadonlySet<string> = new Set([
  'bad-arguments', // a command's options
  'bad-set', // `parity`
  'unknown-case', // `parity`
  'not-here', // the engine without an evaluation
  'bad-blob', // names of pictures that the window made up
  'bad-call', // calls that do not fit their channel
  'bad-request', // the same of the engine's port
  'bad-layer', // operations on what is not in the document
  'bad-order',
  'no-layer',
  'no-turn',
  'no-tile',
  'no-image',
  'no-sample',
  'no-quadruplet',
  'not-allowed', // calls of a page that is not ours
])

function codesIn(part: string): string[] {
  return readdirSync(join(source, part), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .flatMap((entry) => [...readFileSync(join(entry.parentPath, entry.name), 'utf8').matchAll(/(?:new UserError\(\s*|code: )'([a-z-]+)'/g)])
    .map((match) => match[1] ?? '')
}

describe('failures in German', () => {
  afterEach(() => setLocale('en'))

  it('have words for every code that a person can meet, and for no other', () => {
    const codes = new Set(PARTS.flatMap(codesIn))
    expect(codes.size).toBeGreaterThan(50)
    const known = [...Object.keys(failuresDe.headlines), ...Object.keys(failuresDe.whole)]
    expect([...codes].filter((code) => !known.includes(code) && !AS_THEY_ARE.has(code)).sort()).toEqual([])
    expect([...known, ...AS_THEY_ARE].filter((code) => !codes.has(code)).sort()).toEqual([])
    expect(known).toHaveLength(new Set(known).size)
  })

  it('keep the line as the detail behind the headline', () => {
    const failure = { code: 'model-damaged', message: '/models/mini/unet.safetensors: 7 bytes, expected 29' }
    expect(failureLine(failure)).toBe(failure.message)
    setLocale('de')
    expect(failureLine(failure)).toBe(`Das Modell ist beschädigt oder unvollständig: ${failure.message}`)
    expect(failureLine({ code: 'empty-mask', message: 'the mask is empty: mark the region to repaint' })).toBe(
      'Die Maske ist leer oder zu schwach; bitte den Bereich markieren, der neu gemalt werden soll.',
    )
  })

  it('show a code without words as its line, whatever it is called', () => {
    setLocale('de')
    expect(failureLine({ code: 'constructor', message: 'one line' })).toBe('one line')
  })
})
