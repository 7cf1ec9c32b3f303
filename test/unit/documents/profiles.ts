/** Chromaticities of the three primaries, each x, y. */
type Primaries = readonly [readonly [number, number], readonly [number, number], readonly [number, number]]
export const ADOBE_RGB: Primaries = [
  [0.64, 0.33],
  [0.21, 0.71],
  [0.15, 0.06],
]
export const DISPLAY_P3: Primaries = [
  [0.68, 0.32],
  [0.265, 0.69],
  [0.15, 0.06],
]

/** A matrix profile of version 2 (ICC.1:2001-04): primaries under D65, brought to D50 by Bradford, one gamma. */
export function matrixProfile(name: string, primaries: Primaries, gamma: number): Uint8Array {
  const colorants = colorantsOf(primaries)
  const description = Buffer.alloc(12 + name.length + 1 + 78)
  description.write('desc', 0, 'latin1')
  description.writeUInt32BE(name.length + 1, 8)
  description.write(name, 12, 'latin1')
  const curve = Buffer.alloc(14)
  curve.write('curv', 0, 'latin1')
  curve.writeUInt32BE(1, 8)
  curve.writeUInt16BE(Math.round(gamma * 256), 12)
  const copyright = Buffer.from('text\0\0\0\0none\0', 'latin1')
  const tags: [string, Buffer][] = [
    ['desc', description],
    ['cprt', copyright],
    ['wtpt', xyzTag(D50)],
    ['rXYZ', xyzTag(colorants[0])],
    ['gXYZ', xyzTag(colorants[1])],
    ['bXYZ', xyzTag(colorants[2])],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ]
  const head = Buffer.alloc(132 + tags.length * 12)
  head.writeUInt32BE(0x02400000, 8)
  head.write('mntrRGB XYZ ', 12, 'latin1')
  head.write('acsp', 36, 'latin1')
  D50.forEach((value, at) => head.writeInt32BE(Math.round(value * 65536), 68 + at * 4))
  head.writeUInt32BE(tags.length, 128)
  const bodies: Buffer[] = []
  let at = head.length
  tags.forEach(([tag, body], index) => {
    head.write(tag, 132 + index * 12, 'latin1')
    head.writeUInt32BE(at, 136 + index * 12)
    head.writeUInt32BE(body.length, 140 + index * 12)
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    bodies.push(padded)
    at += padded.length
  })
  head.writeUInt32BE(at, 0)
  return Uint8Array.from(Buffer.concat([head, ...bodies]))
}

type Triple = readonly [number, number, number]
const D50: Triple = [0.9642, 1, 0.8249]
const D65: Triple = [0.95047, 1, 1.08883]
const BRADFORD: readonly [Triple, Triple, Triple] = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
]
const BRADFORD_BACK: readonly [Triple, Triple, Triple] = [
  [0.9869929, -0.1470543, 0.1599627],
  [0.4323053, 0.5183603, 0.0492912],
  [-0.0085287, 0.0400428, 0.9684867],
]

function times(matrix: readonly [Triple, Triple, Triple], [x, y, z]: Triple): Triple {
  const row = (index: 0 | 1 | 2) => matrix[index][0] * x + matrix[index][1] * y + matrix[index][2] * z
  return [row(0), row(1), row(2)]
}

function colorantsOf(primaries: Primaries): [Triple, Triple, Triple] {
  const [r, g, b] = primaries.map(([x, y]): Triple => [x / y, 1, (1 - x - y) / y]) as [Triple, Triple, Triple]
  // Cramer's rule for the scales that make white of the three.
  const determinant = (a: Triple, c: Triple, e: Triple) =>
    a[0] * (c[1] * e[2] - c[2] * e[1]) - c[0] * (a[1] * e[2] - a[2] * e[1]) + e[0] * (a[1] * c[2] - a[2] * c[1])
  const whole = determinant(r, g, b)
  const scales: Triple = [determinant(D65, g, b) / whole, determinant(r, D65, b) / whole, determinant(r, g, D65) / whole]
  const from = times(BRADFORD, D65)
  const to = times(BRADFORD, D50)
  const adapt = (colour: Triple, scale: number): Triple => {
    const cone = times(BRADFORD, [colour[0] * scale, colour[1] * scale, colour[2] * scale])
    return times(BRADFORD_BACK, [(cone[0] * to[0]) / from[0], (cone[1] * to[1]) / from[1], (cone[2] * to[2]) / from[2]])
  }
  return [adapt(r, scales[0]), adapt(g, scales[1]), adapt(b, scales[2])]
}

function xyzTag(values: Triple): Buffer {
  const tag = Buffer.alloc(20)
  tag.write('XYZ ', 0, 'latin1')
  values.forEach((value, at) => tag.writeInt32BE(Math.round(value * 65536), 8 + at * 4))
  return tag
}
