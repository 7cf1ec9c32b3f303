const ONE_BIT = 2 ** -24
const LARGEST = 65504

/** 32-bit floats, as bytes, rounded to 16-bit floats, as bytes; what is too large becomes the largest number. */
export function halfFloats(bytes: Uint8Array): Uint8Array {
  const from = new Float32Array(bytes.slice().buffer)
  const to = Uint16Array.from(from, halfBits)
  return new Uint8Array(to.buffer)
}

/** Bits of the nearest 16-bit float, ties to even. */
export function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.min(Math.abs(value), LARGEST)
  const exponent = size === 0 ? -15 : Math.max(-15, Math.floor(Math.log2(size)))
  if (exponent < -14) return sign | roundToEven(size / ONE_BIT)
  // A fraction that rounds up to 1024 carries into the exponent, which is right.
  return sign | (((exponent + 15) << 10) + roundToEven((size / 2 ** exponent - 1) * 1024))
}

function roundToEven(value: number): number {
  const down = Math.floor(value)
  const rest = value - down
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down
}
