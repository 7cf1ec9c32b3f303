/** The list with one item put at another place; null when nothing would change. @param to its place in the new list, held within it */
export function moved<T>(items: readonly T[], item: T, to: number): T[] | null {
  const from = items.indexOf(item)
  const target = Math.min(items.length - 1, Math.max(0, to))
  if (from < 0 || from === target) return null
  const rest = items.filter((each) => each !== item)
  return [...rest.slice(0, target), item, ...rest.slice(target)]
}

/** How a layer is halved so that it fits into one tile: `mip` times. */
export function thumbnailMip(width: number, height: number, tileSide: number): number {
  return Math.max(0, Math.ceil(Math.log2(Math.max(width, height) / tileSide)))
}
