/** Reads of an ICC profile only what we show or decide by; the transforms are Little CMS's, inside libvips. */

/** Colour space of the profile's samples, such as `RGB`, `GRAY`, `CMYK` (ICC.1:2022, 7.2.6); empty when it is no profile. */
export function iccColourSpace(icc: Uint8Array): string {
  if (icc.length < 132 || ascii(icc, 36, 4) !== 'acsp') return ''
  return ascii(icc, 16, 4).trim()
}

/** The profile's own description, `sRGB` for none, `unnamed profile` when it does not say. */
export function iccName(icc: Uint8Array | null): string {
  if (icc === null) return 'sRGB'
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength)
  if (iccColourSpace(icc) === '') return 'unnamed profile'
  const count = view.getUint32(128)
  for (let entry = 0; entry < Math.min(count, 100); entry++) {
    const at = 132 + entry * 12
    if (at + 12 > icc.length) break
    if (ascii(icc, at, 4) !== 'desc') continue
    const offset = view.getUint32(at + 4)
    const size = view.getUint32(at + 8)
    if (offset + size > icc.length || size < 16) break
    return descriptionText(icc.subarray(offset, offset + size)) || 'unnamed profile'
  }
  return 'unnamed profile'
}

/** Whether samples under this profile may be taken as sRGB as they are; a transform would only add rounding. */
export function isSrgb(icc: Uint8Array | null): boolean {
  return icc === null || /^(sRGB|IEC 61966-2[-.]1)/i.test(iccName(icc))
}

function descriptionText(tag: Uint8Array): string {
  const view = new DataView(tag.buffer, tag.byteOffset, tag.byteLength)
  const type = ascii(tag, 0, 4)
  if (type === 'desc') {
    const length = view.getUint32(8)
    return clean(ascii(tag, 12, Math.min(length, tag.length - 12)))
  }
  if (type === 'mluc' && tag.length >= 28) {
    const length = view.getUint32(20)
    const offset = view.getUint32(24)
    if (offset + length > tag.length) return ''
    let text = ''
    for (let at = offset; at + 1 < offset + length; at += 2) text += String.fromCharCode(view.getUint16(at))
    return clean(text)
  }
  return ''
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}

function clean(text: string): string {
  let out = ''
  for (const character of text) if (character >= ' ' && character !== '\u007f') out += character
  return out.trim().slice(0, 100)
}
