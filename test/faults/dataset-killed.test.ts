import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contentOf, samplePhotos } from '../unit/data-engine/photo-folder.ts'

const root = resolve(import.meta.dirname, '..', '..')
let work = ''

function start(out: string): ChildProcess {
  const args = [
    '--import',
    'tsx',
    'src-main/cli/main.ts',
    'dataset',
    'build',
    '--photos',
    join(work, 'photos'),
    '--out',
    out,
    '--objects',
    'salient',
    '--min-tag-score',
    '0.05',
  ]
  return spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function ended(child: ChildProcess): Promise<{ code: number | null; text: string }> {
  let text = ''
  child.stdout?.on('data', (bytes: Buffer) => (text += bytes.toString()))
  child.stderr?.on('data', (bytes: Buffer) => (text += bytes.toString()))
  return await new Promise((resolveEnd) => child.on('close', (code) => resolveEnd({ code, text })))
}

/** Kills the build when it has said that so many photos are done. */
async function killedAfter(out: string, photos: number): Promise<void> {
  const child = start(out)
  child.stderr?.on('data', (bytes: Buffer) => {
    const done = [...bytes.toString().matchAll(/^(\d+)\/\d+ photos/gm)].map((match) => Number(match[1]))
    if (done.some((count) => count >= photos)) child.kill('SIGKILL')
  })
  await ended(child)
  expect(child.signalCode).toBe('SIGKILL')
}

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'larkspur-killed-'))
  await mkdir(join(work, 'photos'))
  await samplePhotos(join(work, 'photos'))
})

afterAll(async () => {
  await rm(work, { recursive: true, force: true })
})

describe('a build that is killed', { timeout: 500_000 }, () => {
  it('goes on where it was and comes to the same bytes', async () => {
    const whole = join(work, 'whole')
    const { code, text } = await ended(start(whole))
    expect(code, text).toBe(0)
    const cut = join(work, 'cut')
    await killedAfter(cut, 1)
    await killedAfter(cut, 3)
    const last = await ended(start(cut))
    expect(last.code, last.text).toBe(0)
    const expected = await contentOf(whole)
    expect(Object.keys(expected).length).toBeGreaterThan(6)
    expect(await contentOf(cut)).toEqual(expected)
  })
})
