import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..', '..')

/** Which parts a part may import. What is not named here may not be imported, and a new folder of src-main must be added. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  pictures: ['contract'],
  manifests: ['contract'],
  engine: ['contract', 'pictures', 'manifests'],
  evaluation: ['contract', 'pictures', 'engine'],
  datasets: ['contract', 'pictures'],
  'data-engine': ['contract', 'pictures', 'datasets', 'engine'],
  bench: ['contract', 'pictures', 'manifests', 'engine', 'models'],
  documents: ['contract', 'pictures'],
  models: ['contract', 'pictures', 'manifests'],
  shell: ['contract', 'pictures', 'datasets', 'documents', 'models'],
  cli: ['contract', 'pictures', 'manifests', 'datasets', 'data-engine', 'engine', 'evaluation', 'bench', 'documents', 'models'],
  'main.ts': ['shell'],
  'engine-host.ts': ['engine', 'evaluation', 'models'],
  'preload.ts': ['contract'],
  renderer: ['contract'],
}

/** Packages that only some parts may know: the engine is plain Node, the window's libraries stay in the window. */
const PACKAGES_OF: Readonly<Record<string, readonly string[]>> = {
  electron: ['shell', 'main.ts', 'preload.ts'],
  'onnxruntime-node': ['engine'],
  '@huggingface/transformers': ['data-engine'],
  'wasm-vips': ['pictures'],
  svelte: ['renderer'],
  fabric: ['renderer'],
}

interface Import {
  readonly from: string
  /** A file of ours, or the name of a package. */
  readonly to: string
  readonly ours: boolean
}

function sourcesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|svelte)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** TypeScript's own list of what a file imports, types and dynamic imports included. */
function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8')
  const script = file.endsWith('.svelte') ? [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]).join('\n') : text
  return ts.preProcessFile(script, true, true).importedFiles.map(({ fileName }) => {
    const ours = fileName.startsWith('.')
    return { from: file, to: ours ? resolve(dirname(file), fileName) : packageName(fileName), ours }
  })
}

function packageName(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** The part a file belongs to: a folder or file of src-main, or the renderer. */
function partOf(file: string): string {
  const [top, second = ''] = relative(root, file).split(sep)
  return top === 'src-renderer' ? 'renderer' : top === 'src-main' ? second : (top ?? '')
}

const imports = [...sourcesUnder('src-main'), ...sourcesUnder('src-renderer')].flatMap(importsOf)
const shown = (found: Import): string => `${relative(root, found.from)} -> ${found.ours ? relative(root, found.to) : found.to}`

/** Every cycle as the files it goes through; found by walking depth first. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const path: string[] = []
  const walk = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) return void found.push([...path.slice(at), file])
    if (done.has(file)) return
    path.push(file)
    for (const next of edges.get(file) ?? []) walk(next)
    path.pop()
    done.add(file)
  }
  for (const file of edges.keys()) walk(file)
  return found
}

describe('arrows', () => {
  it('finds imports at all', () => {
    expect(imports.filter((found) => found.ours).length).toBeGreaterThan(50)
  })

  it('point one way', () => {
    const turned = imports.filter(
      (found) => found.ours && partOf(found.from) !== partOf(found.to) && !(MAY_IMPORT[partOf(found.from)] ?? []).includes(partOf(found.to)),
    )
    expect(turned.map(shown)).toEqual([])
  })

  it('keep packages where they belong', () => {
    const strayed = imports.filter((found) => !found.ours && found.to in PACKAGES_OF && !(PACKAGES_OF[found.to] ?? []).includes(partOf(found.from)))
    expect(strayed.map(shown)).toEqual([])
  })

  it('let the window take from the contract and nothing of Node', () => {
    const builtin = imports.filter((found) => !found.ours && partOf(found.from) === 'renderer' && found.to.startsWith('node:'))
    expect(builtin.map(shown)).toEqual([])
  })

  it('never close a circle', () => {
    const edges = new Map<string, string[]>()
    for (const found of imports) if (found.ours) edges.set(found.from, [...(edges.get(found.from) ?? []), found.to])
    expect(cycles(edges).map((cycle) => cycle.map((file) => relative(root, file)).join(' -> '))).toEqual([])
  })

  it('sees a turned arrow and a circle when there is one', () => {
    expect(MAY_IMPORT['contract']).not.toContain('shell')
    expect(
      cycles(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a']],
        ]),
      ),
    ).toEqual([['a', 'b', 'c', 'a']])
  })
})
