import { afterEach, describe, expect, it, vi } from 'vitest'
import { PictureSight } from '../../../../src-renderer/dataset/picture-sight.svelte.ts'

/** What main answers to a second look at an address. */
function answers(status: number, body: string | null): void {
  vi.stubGlobal('fetch', () => Promise.resolve(new Response(body, { status })))
}

describe('the sight of a picture', () => {
  afterEach(() => vi.unstubAllGlobals())

  it('is on its way, then here, and on its way again at another address', () => {
    let url = 'one'
    const sight = new PictureSight(() => url)
    expect([sight.url, sight.state]).toEqual(['one', 'waiting'])
    sight.came()
    expect(sight.state).toBe('here')
    url = 'two'
    expect([sight.url, sight.state]).toEqual(['two', 'waiting'])
  })

  it('says why a picture cannot be had', async () => {
    answers(404, 'a/pear.jpg: no such file or folder')
    const sight = new PictureSight(() => 'one')
    expect(await sight.failed()).toBe(true)
    expect([sight.state, sight.why]).toEqual(['missing', 'a/pear.jpg: no such file or folder'])
  })

  it('goes on waiting when nobody has the picture any more, as when the view is being closed', async () => {
    answers(204, null)
    const sight = new PictureSight(() => 'one')
    expect(await sight.failed()).toBe(false)
    expect(sight.state).toBe('waiting')
  })

  it('asks again, and not without end, for a picture that could be had only a moment later', async () => {
    answers(200, 'a picture')
    let url = 'one'
    const sight = new PictureSight(() => url)
    const seen = [sight.src]
    for (let time = 0; time < 4; time++) {
      await sight.failed()
      seen.push(sight.src)
    }
    expect(seen).toEqual(['one', 'one#2', 'one#3', 'one#3', 'one#3'])
    expect(sight.state).toBe('waiting')
    sight.came()
    expect(sight.state).toBe('here')
    url = 'two'
    expect(sight.src).toBe('two')
  })

  it('does not take the failure of the address before for its own', async () => {
    let url = 'one'
    answers(404, 'gone')
    const sight = new PictureSight(() => url)
    const failing = sight.failed()
    url = 'two'
    await failing
    expect([sight.state, sight.why]).toEqual(['waiting', ''])
  })
})
