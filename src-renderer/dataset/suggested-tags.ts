import type { TagCounts } from '../../src-main/contract/dataset-view.ts'

const MOST = 6

/** Tags of the dataset that what was typed may become: those that begin with it, then those with a word that does, then those that hold it; the frequent ones first. */
export function suggestedTags(tags: TagCounts, typed: string): string[] {
  const wanted = typed.trim().toLocaleLowerCase()
  const ranked: string[][] = [[], [], []]
  for (const { tag } of tags) {
    const word = tag.toLocaleLowerCase()
    const rank = word.startsWith(wanted) ? 0 : word.includes(` ${wanted}`) ? 1 : word.includes(wanted) ? 2 : null
    if (rank !== null) ranked[rank]?.push(tag)
  }
  return ranked.flat().slice(0, MOST)
}
