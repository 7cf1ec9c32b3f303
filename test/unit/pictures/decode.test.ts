import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src-main/contract/errors.ts'
import { fromSrgb8, toSrgb8, vipsImageOf } from '../../../src-main/pictures/colour.ts'
import { decodePicture } from '../../../src-main/pictures/decode.ts'
import { encodePicture, encodePng } from '../../../src-main/pictures/encode.ts'
import type { Picture16, Picture8 } from '../../../src-main/pictures/picture.ts'
import { withVips } from '../../../src-main/pictures/vips.ts'

function gradient(width: number, height: number, channels: 3 | 4): Picture8 {
  const pixels = new Uint8Array(width * height * channels)
  for (let at = 0; at < pixels.length; at++) pixels[at] = (at * 7 + (at >> 5)) & 255
  return { width, height, channels, depth: 8, icc: null, pixels }
}

async function displayP3(): Promise<Uint8Array> {
  return await withVips((scope) => {
    const image = scope.own(vipsImageOf(scope, gradient(4, 4, 3)).iccTransform('p3', { input_profile: 'srgb' }))
    return Uint8Array.from(image.getBlob('icc-profile-data'))
  })
}

async function failure(work: Promise<unknown>): Promise<UserError> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof UserError)) throw new Error(`expected a UserError, got ${String(error)}`)
  expect(error.message).not.toContain('\n')
  return error
}

describe('decodePicture', () => {
  it('gives back what PNG and TIFF were given, in 8 and 16 bit, with alpha', async () => {
    const eight = gradient(37, 23, 4)
    const sixteen: Picture16 = {
      ...eight,
      depth: 16,
      pixels: Uint16Array.from(eight.pixels, (value, at) => value * 257 - (at & 63)).map((value) => Math.max(0, value)),
    }
    for (const format of ['png', 'tiff'] as const) {
      for (const picture of [eight, sixteen]) {
        const back = await decodePicture(await encodePicture(picture, format), { name: 'x' })
        expect([back.format, back.width, back.height, back.channels, back.depth]).toEqual([format, 37, 23, 4, picture.depth])
        expect(Buffer.compare(Buffer.from(back.pixels.buffer, back.pixels.byteOffset, back.pixels.byteLength), Buffer.from(picture.pixels.buffer))).toBe(0)
      }
    }
  })

  it('turns a picture upright by its EXIF orientation', async () => {
    const jpeg = await withVips((scope) => {
      const image = scope.own(vipsImageOf(scope, gradient(40, 24, 3)).copy())
      image.setInt('orientation', 6)
      return image.writeToBuffer('.jpg')
    })
    const back = await decodePicture(jpeg, { name: 'x.jpg' })
    expect([back.width, back.height]).toEqual([24, 40])
  })

  it('makes RGB of grey, palette and CMYK files', async () => {
    const files = await withVips((scope) => {
      const grey = scope.own(scope.vips.Image.newFromMemory(Uint8Array.from([0, 60, 120, 255]), 2, 2, 1, scope.vips.BandFormat.uchar))
      const cmyk = scope.own(vipsImageOf(scope, gradient(8, 8, 3)).iccTransform('cmyk', { input_profile: 'srgb' }))
      return [
        scope.own(grey.copy({ interpretation: 'b-w' })).writeToBuffer('.png'),
        vipsImageOf(scope, gradient(16, 16, 3)).writeToBuffer('.png', { palette: true }),
        cmyk.writeToBuffer('.jpg'),
      ]
    })
    const [grey, palette, cmyk] = await Promise.all(files.map((bytes) => decodePicture(bytes, { name: 'x' })))
    expect(grey?.pixels.slice(0, 6)).toEqual(Uint8Array.from([0, 0, 0, 60, 60, 60]))
    expect([palette?.channels, cmyk?.channels, cmyk?.icc]).toEqual([3, 3, null])
  })

  it('says in one line why a file is refused', async () => {
    const jpeg = await encodePicture(gradient(200, 200, 3), 'jpeg')
    expect((await failure(decodePicture(new Uint8Array(0), { name: 'a.png' }))).message).toMatch(/^a\.png: the file is empty/)
    expect((await failure(decodePicture(new TextEncoder().encode('hello there'), { name: 'b.png' }))).message).toMatch(/^b\.png: not a picture.*expected PNG/)
    expect(
      (await failure(decodePicture(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'), { name: 'b.svg' }))).code,
    ).toBe('bad-image')
    expect((await failure(decodePicture(jpeg.subarray(0, 900), { name: 'c.jpg' }))).message).toMatch(/^c\.jpg: the picture is damaged/)
    const dot = await encodePng(gradient(1, 1, 3))
    expect((await failure(decodePicture(dot, { name: 'd.png' }))).message).toBe('d.png: 1 x 1 pixels, expected at least 2 x 2')
  })

  it('refuses 100 megapixels by the header alone', async () => {
    const large = await withVips(({ vips, own }) =>
      own(own(vips.Image.black(10_000, 10_000)).copy({ interpretation: 'b-w' })).writeToBuffer('.png', { compression: 1 }),
    )
    const started = performance.now()
    expect((await failure(decodePicture(large, { name: 'e.png' }))).message).toBe('e.png: 10000 x 10000 is 100.0 megapixels, expected at most 64')
    expect(performance.now() - started).toBeLessThan(500)
  })

  it('never throws anything but a line on damaged bytes', async () => {
    const good = await encodePng(gradient(24, 24, 4))
    let state = 12345
    for (let round = 0; round < 120; round++) {
      const bytes = Uint8Array.from(good)
      for (let hit = 0; hit < 3; hit++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        bytes[8 + (state % (bytes.length - 8))] = state >>> 24
      }
      const outcome: unknown = await decodePicture(bytes, { name: 'f.png' }).catch((reason: unknown) => reason)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(UserError)
    }
  })
})

describe('colours', () => {
  it('keeps sRGB samples through 16 bit exactly', async () => {
    const picture = gradient(16, 16, 4)
    const there = await fromSrgb8(picture, { icc: null, depth: 16 })
    expect((await toSrgb8(there)).pixels).toEqual(picture.pixels)
  })

  it('goes through Display P3 within a level in the mean, alpha untouched', async () => {
    const picture = gradient(32, 32, 4)
    const icc = await displayP3()
    const there = await fromSrgb8(picture, { icc, depth: 16 })
    const file = await decodePicture(await encodePng(there), { name: 'p3.png' })
    expect(file.profileName).toMatch(/P3/i)
    expect(file.icc).not.toBeNull()
    const back = await toSrgb8(file)
    let sum = 0
    for (let at = 0; at < back.pixels.length; at++) {
      const difference = Math.abs((back.pixels[at] ?? 0) - (picture.pixels[at] ?? 0))
      if (at % 4 === 3) expect(difference).toBe(0)
      sum += difference
    }
    expect(sum / back.pixels.length).toBeLessThan(0.5)
    expect(there.pixels).not.toEqual((await fromSrgb8(picture, { icc: null, depth: 16 })).pixels)
  })
})
