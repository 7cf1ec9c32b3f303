import type { Found } from '../stages.ts'

/** A colour that takes less of an object is not worth a word in its caption. */
const WORTH_A_WORD = 0.25
const COLOUR_WORDS = /\b(red|orange|yellow|green|teal|blue|purple|pink|brown|black|white|grey|beige)\b/

const PLACES: Readonly<Record<string, string>> = {
  centre: 'in the centre',
  left: 'on the left',
  right: 'on the right',
  top: 'at the top',
  bottom: 'at the bottom',
}

/** `a large red and green apple on the left`. A tag that names a colour itself gets no other. */
export function describe({ tag, colours, place, size }: Found): string {
  const named = COLOUR_WORDS.test(tag) ? [] : colours.filter(({ share }) => share >= WORTH_A_WORD).slice(0, 2)
  const words = [size === 'medium' ? '' : size, named.map(({ name }) => name).join(' and '), tag].filter((word) => word !== '').join(' ')
  return `${/^[aeiou]/.test(words) ? 'an' : 'a'} ${words} ${PLACES[place] ?? `in the ${place}`}`
}
