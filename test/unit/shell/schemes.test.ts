import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { UserError } from '../../../src-main/contract/errors.ts'
import { appFiles } from '../../../src-main/shell/app-scheme.ts'
import { imageAnswers, type ImageSource } from '../../../src-main/shell/image-scheme.ts'

vi.mock('electron', () => ({ protocol: {} }))

describe('larkspur-image:', () => {
  const asked: unknown[][] = []
  const source: ImageSource = {
    layerTile: (...args) => {
      asked.push(args)
      return Promise.resolve(new Uint8Array([1, 2, 3, 4]))
    },
    maskTile: (_document, column) => (column === 9 ? null : new Uint8Array([7])),
    dataset: (...args) =>
      args[2] === 'none'
        ? Promise.reject(new UserError('photo-moved', 'the photo has been moved'))
        : args[0] === 'closed'
          ? Promise.reject(new UserError('no-dataset', 'it is not open any more'))
          : Promise.resolve({ bytes: new Uint8Array([9, args[3]]), type: 'image/jpeg' }),
    evaluation: (evaluation, name) =>
      evaluation === 'closed' ? Promise.reject(new UserError('no-evaluation', 'it is not open any more')) : Promise.resolve(new Uint8Array([name.length])),
    blob: (sha256) => (sha256 === 'missing' ? Promise.reject(new UserError('blob-missing', 'not there')) : Promise.resolve(new Uint8Array([137, 80]))),
  }
  const get = (path: string): Promise<Response> => imageAnswers(source)(new Request(`larkspur-image://${path}`))

  it('serves a tile of a layer raw, with the numbers of its address', async () => {
    const answer = await get('layer/Doc-A/layer%201/3/2/10/4')
    expect(asked.at(-1)).toEqual(['Doc-A', 'layer 1', 3, 2, 10, 4])
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([1, 2, 3, 4])
    expect(answer.headers.get('cache-control')).toContain('immutable')
    expect(answer.headers.get('access-control-allow-origin')).toBe('larkspur-app://window')
  })

  it('answers 204 for an empty mask tile and bytes for another', async () => {
    expect((await get('mask/d/1/9/0')).status).toBe(204)
    expect([...new Uint8Array(await (await get('mask/d/1/0/0')).arrayBuffer())]).toEqual([7])
  })

  it('serves a stored picture as PNG, 404 when it is not there', async () => {
    expect((await get('blob/abc')).headers.get('content-type')).toBe('image/png')
    expect((await get('blob/missing')).status).toBe(404)
  })

  it('serves pictures of a dataset with their kind, and says in a line why there is none', async () => {
    const answer = await get('dataset/0123456789abcdef/photo/0123456789abcdef-01/64/0')
    expect([answer.headers.get('content-type'), ...new Uint8Array(await answer.arrayBuffer())]).toEqual(['image/jpeg', 9, 64])
    const moved = await get('dataset/0123456789abcdef/photo/none/64/0')
    expect([moved.status, await moved.text()]).toEqual([404, 'the photo has been moved'])
    expect((await get('dataset/0123456789abcdef/photo/x/-1/0')).status).toBe(404)
    expect((await get('dataset/closed/photo/x/64/0')).status).toBe(204)
  })

  it('serves memory that is shared between threads', async () => {
    const shared: ImageSource = { ...source, blob: () => Promise.resolve(new Uint8Array(new SharedArrayBuffer(3)).fill(5)) }
    const answer = await imageAnswers(shared)(new Request('larkspur-image://blob/x'))
    expect([...new Uint8Array(await answer.arrayBuffer())]).toEqual([5, 5, 5])
  })

  it.each(['layer/d/l/1/0/0', 'layer/d/l/1/0/-1/0', 'layer/d/l/1/0/0x1/0', 'mask/d/1/a/0', 'other/x', 'blob/'])('refuses %s', async (path) => {
    expect((await get(path)).status).toBe(404)
  })
})

describe('larkspur-app:', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'larkspur-app-'))
    mkdirSync(join(folder, 'page'))
    writeFileSync(join(folder, 'page', 'index.html'), '<!doctype html>')
    writeFileSync(join(folder, 'secret.json'), '{}')
  })
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })
  const get = (address: string): Promise<Response> => appFiles(join(folder, 'page'))(new Request(address))

  it('serves the page under a policy that allows no inline code and no network', async () => {
    const answer = await get('larkspur-app://window/index.html')
    expect(answer.status).toBe(200)
    const policy = answer.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
  })

  it.each([
    'larkspur-app://window/../secret.json',
    'larkspur-app://window/%2e%2e/secret.json',
    'larkspur-app://window/..%2fsecret.json',
    'larkspur-app://other/index.html',
    'larkspur-app://window/none.html',
    'larkspur-app://window/',
  ])('answers 404 to %s', async (address) => {
    expect((await get(address)).status).toBe(404)
  })
})
