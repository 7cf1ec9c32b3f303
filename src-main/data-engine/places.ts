import type { Box } from '../contract/basics.ts'

/** Where an object's middle lies in the photo: thirds across and down. */
export function placeWords(box: Box, width: number, height: number): string {
  const across = third((box.x + box.w / 2) / width)
  const down = third((box.y + box.h / 2) / height)
  const vertical = ['upper', '', 'lower'][down] ?? ''
  const horizontal = ['left', '', 'right'][across] ?? ''
  if (vertical === '' && horizontal === '') return 'centre'
  if (vertical === '') return horizontal
  if (horizontal === '') return vertical === 'upper' ? 'top' : 'bottom'
  return `${vertical} ${horizontal}`
}

/** How much of the photo it takes. */
export function sizeWord(area: number): 'small' | 'medium' | 'large' {
  return area < 0.06 ? 'small' : area < 0.3 ? 'medium' : 'large'
}

function third(share: number): number {
  return share < 1 / 3 ? 0 : share > 2 / 3 ? 2 : 1
}
