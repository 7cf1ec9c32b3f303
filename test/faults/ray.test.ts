import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..', '..')
const PHOTOS = join(ROOT, 'test', 'parity', 'published', 'pictures')

/** A Python that has ray: the one that is named, the one that build/prepare makes for CI, or the system's. */
function pythonWithRay(): string | null {
  const named = process.env['LARKSPUR_PYTHON']
  const tried = [...(named === undefined ? [] : [named]), join(ROOT, '.cache', 'ray', 'bin', 'python'), 'python3']
  return tried.find((python) => hasRay(python)) ?? null
}

function hasRay(python: string): boolean {
  if (python.includes('/') && !existsSync(python)) return false
  try {
    execFileSync(python, ['-c', 'import ray'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const python = process.platform === 'linux' ? pythonWithRay() : null

interface Ended {
  readonly code: number | null
  readonly json: Record<string, unknown>
  readonly notes: string
}

function larkspur(args: readonly string[], onNote: (text: string) => void = () => {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', 'tsx', join(ROOT, 'src-main', 'cli', 'main.ts'), ...args, '--json'], { cwd: ROOT })
  let out = ''
  let notes = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    notes += text
    onNote(text)
  })
  return new Promise((done) => {
    child.on('close', (code) => done({ code, json: JSON.parse(out.trim().split('\n').at(-1) || '{}') as Record<string, unknown>, notes }))
  })
}

/** Every file of a dataset or an evaluation, but what only helps to make it. */
async function contentsOf(folder: string, but: (name: string) => boolean = () => false): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(folder.length + 1)
    if (entry.isFile() && !name.startsWith('.') && !but(name)) files.set(name, (await readFile(path)).toString('base64'))
  }
  return files
}

/** The process of a Ray worker whose task is a shard of `out`: the parent of the command that it runs. */
function workerAt(out: string): number | null {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      if (!words.includes('--shard') || !words.includes(out)) continue
      const parent = Number(/^PPid:\s*(\d+)/m.exec(readFileSync(`/proc/${name}/status`, 'utf8'))?.[1])
      if (readFileSync(`/proc/${parent}/cmdline`, 'utf8').startsWith('ray::')) return parent
    } catch {
      // It is gone already.
    }
  }
  return null
}

describe.skipIf(python === null)(`spread over two Ray nodes${python === null ? ' (skipped: no Python here has ray, or this is no Linux)' : ''}`, () => {
  let scratch: string
  let cluster: ChildProcess
  let address: string

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'larkspur-ray-'))
    cluster = spawn(python ?? '', [join(import.meta.dirname, 'ray-cluster.py')], { stdio: ['pipe', 'pipe', 'ignore'] })
    address = await new Promise<string>((ready, failed) => {
      createInterface({ input: cluster.stdout! }).on('line', (line) => line.startsWith('READY ') && ready(line.slice(6)))
      cluster.on('close', () => failed(new Error('the cluster ended before it was ready')))
    })
  }, 120_000)

  afterAll(async () => {
    const ended = new Promise((done) => cluster.on('close', done))
    cluster.stdin?.end()
    await ended
    await rm(scratch, { recursive: true })
  }, 60_000)

  const onRay = (): string[] => ['--ray', address, '--python', python ?? '', '--ray-shards', '3']

  it('builds the same dataset to the byte, though a worker is killed in the middle', { timeout: 600_000 }, async () => {
    const photos = join(scratch, 'photos')
    await mkdir(photos)
    for (const name of await readdir(PHOTOS)) await cp(join(PHOTOS, name), join(photos, name))
    const build = (out: string) => ['dataset', 'build', '--photos', photos, '--out', out, '--objects', 'salient', '--min-place-score', '0']
    const [alone, spread] = [join(scratch, 'alone'), join(scratch, 'spread')]
    expect(await larkspur(build(alone))).toMatchObject({ code: 0 })
    let killed = 0
    const watch = setInterval(() => {
      const worker = killed === 0 ? workerAt(spread) : null
      if (worker === null) return
      killed = worker
      process.kill(worker, 'SIGKILL')
    }, 20)
    const ended = await larkspur([...build(spread), ...onRay()])
    clearInterval(watch)
    expect(ended.notes).toContain('is begun again')
    expect(killed).toBeGreaterThan(0)
    expect(ended).toMatchObject({ code: 0, json: { ray: { nodes: 2, shards: 3, again: 1 } } })
    const wanted = await contentsOf(alone)
    expect([...wanted.keys()]).toEqual(expect.arrayContaining(['dataset.json', 'photos.jsonl', 'quadruplets.jsonl']))
    expect(await contentsOf(spread)).toEqual(wanted)
  })

  it('says in one line what a part found wrong, and begins it no second time', { timeout: 300_000 }, async () => {
    const photos = join(scratch, 'photos-2')
    await mkdir(photos)
    await cp(join(PHOTOS, 'tall.png'), join(photos, 'tall.png'))
    const ended = await larkspur([
      'dataset',
      'build',
      '--photos',
      photos,
      '--out',
      join(scratch, 'other'),
      '--objects',
      'salient',
      ...onRay(),
      '--ray-cpus',
      '64',
    ])
    expect(ended.code).toBe(1)
    expect(ended.notes.trim().split('\n').at(-1)).toMatch(/^larkspur: --ray .+: the cluster has 2 processors, a task wants 64$/)
  })

  it('evaluates to the same results in the same order', { timeout: 600_000 }, async () => {
    const benchmark = join(scratch, 'benchmark')
    const pictures = join(ROOT, 'test', 'parity', 'published', 'pictures')
    const made = await larkspur([
      'evaluate',
      'make',
      '--scenes',
      pictures,
      '--subjects',
      pictures,
      '--out',
      benchmark,
      '--scene-count',
      '2',
      '--subject-count',
      '1',
      '--pairs',
      '2',
    ])
    expect(made).toMatchObject({ code: 0 })
    const run = (out: string) => ['evaluate', '--benchmark', benchmark, '--out', out, '--methods', 'fill,naive-paste', '--limit', '4', '--sheet-cases', '2']
    const [alone, spread] = [join(scratch, 'results-alone'), join(scratch, 'results-spread')]
    expect(await larkspur(run(alone))).toMatchObject({ code: 0 })
    expect(await larkspur([...run(spread), ...onRay()])).toMatchObject({ code: 0 })
    // What a result took is the one thing that no second run gives again.
    const lines = async (out: string) => (await readFile(join(out, 'results.jsonl'), 'utf8')).replace(/"seconds":[\d.]+/g, '"seconds":0')
    expect(await lines(spread)).toBe(await lines(alone))
    const pictureFiles = (out: string) => contentsOf(join(out, 'pictures'))
    expect(await pictureFiles(spread)).toEqual(await pictureFiles(alone))
  })
})
