import type { Box } from '../../contract/basics.ts'

/** Florence-2 says places in thousandths of the picture's sides. */
const BINS = 1000

/** A phrase and the corners of its place, in pixels of a picture: left, top, right, bottom. */
export interface Placed {
  readonly phrase: string
  readonly corners: readonly [number, number, number, number]
}

/**
 * Reads an answer of phrases that are each followed by the places of what they name. Places without a phrase, phrases without four numbers, and a last place that is cut off are left out; the
 * middle of a bin counts, cut to whole pixels, as in the reference.
 */
export function placedPhrases(answer: string, width: number, height: number): Placed[] {
  const placed: Placed[] = []
  for (const [, text = '', places = ''] of plain(answer).matchAll(/([^<>]+)((?:<loc_\d+>)+)/g)) {
    const phrase = text.trim()
    if (phrase === '') continue
    for (const [, left, top, right, bottom] of places.matchAll(/<loc_(\d+)><loc_(\d+)><loc_(\d+)><loc_(\d+)>/g)) {
      placed.push({ phrase, corners: [pixel(left, width), pixel(top, height), pixel(right, width), pixel(bottom, height)] })
    }
  }
  return placed
}

/** The words of an answer, on one line, without places. */
export function wordsOf(answer: string): string {
  return plain(answer)
    .replace(/<loc_\d+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

/** A box as the prompt names it. */
export function placeText({ x, y, w, h }: Box, width: number, height: number): string {
  return [bin(x, width), bin(y, height), bin(x + w, width), bin(y + h, height)].map((at) => `<loc_${at}>`).join('')
}

function bin(value: number, side: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor(value / (side / BINS))))
}

function pixel(text: string | undefined, side: number): number {
  return Math.trunc((Number(text) + 0.5) * (side / BINS))
}

function plain(answer: string): string {
  return answer.replace(/<\/?s>|<pad>|<unk>|<mask>/g, '')
}
