/** A stretch of a prompt and how much it counts, 1 as it stands. */
export interface PromptSpan {
  readonly text: string
  readonly weight: number
}

/** Beyond this an embedding means nothing any more. */
const LARGEST_WEIGHT = 3

/**
 * Reads `(words:1.3)` as words that count 1.3 times as much; such brackets may lie in one another, their weights multiply. Brackets without a
 * number are ordinary text, and `\(` is a bracket in any case. What is not well formed stays as it is written.
 */
export function readPrompt(prompt: string): PromptSpan[] {
  const spans: PromptSpan[] = []
  const put = (text: string, weight: number) => {
    const last = spans.at(-1)
    if (text === '') return
    if (last?.weight === weight) spans[spans.length - 1] = { text: last.text + text, weight }
    else spans.push({ text, weight })
  }
  read(prompt, 1, put)
  return spans.length === 0 ? [{ text: '', weight: 1 }] : spans
}

function read(text: string, weight: number, put: (text: string, weight: number) => void): void {
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? ''
    if (character === '\\' && /[()\\]/.test(text[at + 1] ?? '')) {
      plain += text[++at] ?? ''
      continue
    }
    const end = character === '(' ? closing(text, at) : -1
    const [, inside, number] = end < 0 ? [] : (/^([\s\S]*):\s*(\d+(?:\.\d*)?|\.\d+)\s*$/.exec(text.slice(at + 1, end)) ?? [])
    if (inside === undefined || number === undefined) {
      plain += character
      continue
    }
    put(plain, weight)
    plain = ''
    read(inside, Math.min(LARGEST_WEIGHT, weight * Number(number)), put)
    at = end
  }
  put(plain, weight)
}

/** Where the bracket at `start` closes, -1 when it does not. */
function closing(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at
  }
  return -1
}
