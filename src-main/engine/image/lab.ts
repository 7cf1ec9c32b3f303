/** sRGB 0 .. 255 to CIE Lab under D65: L 0 .. 100, a and b about -100 .. 100. */
export function labOf(red: number, green: number, blue: number): [number, number, number] {
  const [r, g, b] = [LINEAR[red]!, LINEAR[green]!, LINEAR[blue]!]
  const x = cubeRoot((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047)
  const y = cubeRoot(0.2126729 * r + 0.7151522 * g + 0.072175 * b)
  const z = cubeRoot((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883)
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)]
}

const LINEAR = Float64Array.from({ length: 256 }, (_, level) => {
  const value = level / 255
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
})

/** CIE's function with its straight piece near black. */
function cubeRoot(value: number): number {
  return value > 216 / 24389 ? Math.cbrt(value) : (value * (24389 / 27) + 16) / 116
}
