import type { PromptSpan } from './weighted-prompt.ts'

/** A byte-level BPE vocabulary: token -> id, and the merges in order of rank. */
export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>
  /** Each as the two parts with a space between, as `merges.txt` writes them. */
  readonly merges: readonly string[]
}

export interface TokenizerOptions {
  /** Tokens of a context, begin and end marks included. */
  readonly length: number
  /** Token that fills the rest of a context; the end mark for CLIP-L, "!" for SDXL's second encoder. */
  readonly pad: string
}

export interface TokenIds {
  /** `length` ids: begin mark, tokens, end mark, padding. */
  readonly ids: Int32Array
  /** True when tokens were cut off to fit. */
  readonly cut: boolean
}

/** One context of a weighted prompt. */
export interface WeightedIds {
  readonly ids: Int32Array
  /** As many; marks and padding have weight 1. */
  readonly weights: Float32Array
}

const BEGIN = '<|startoftext|>'
const END = '<|endoftext|>'
/** CLIP's pre-tokenizer: contractions, runs of letters, single digits, runs of anything else (clip/simple_tokenizer.py). */
const PIECES = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu
/** JavaScript's \s has U+FEFF and lacks U+0085; Unicode's White_Space is what the reference means. */
const WHITE = /\p{White_Space}+/gu

/** CLIP's BPE tokenizer, equal to transformers' CLIPTokenizer: NFC, white space to single blanks, lower case, pieces, byte-level BPE. */
export class Tokenizer {
  readonly options: TokenizerOptions
  private readonly ids: ReadonlyMap<string, number>
  private readonly ranks: ReadonlyMap<string, number>
  private readonly begin: number
  private readonly end: number
  private readonly pad: number
  /** Marks and padding written out in a text stand for themselves, as transformers' special tokens do. */
  private readonly specials: ReadonlyMap<string, number>
  private readonly splitter: RegExp
  private readonly cache = new Map<string, readonly number[]>()

  constructor(vocabulary: Vocabulary, options: TokenizerOptions) {
    this.options = options
    this.ids = vocabulary.ids
    this.ranks = new Map(vocabulary.merges.map((merge, rank) => [merge, rank]))
    const special = (token: string) => {
      const id = this.ids.get(token)
      if (id === undefined) throw new RangeError(`The vocabulary has no token "${token}".`)
      return id
    }
    this.begin = special(BEGIN)
    this.end = special(END)
    this.pad = special(options.pad)
    this.specials = new Map([BEGIN, END, options.pad].map((token) => [token, special(token)]))
    this.splitter = new RegExp(`(${[...this.specials.keys()].map((token) => token.replace(/[|\\{}()[\]^$+*?.]/g, '\\$&')).join('|')})`)
  }

  encode(text: string): TokenIds {
    const tokens = this.tokens(text)
    const room = this.options.length - 2
    const ids = new Int32Array(this.options.length).fill(this.pad)
    ids.set([this.begin, ...tokens.slice(0, room), this.end])
    return { ids, cut: tokens.length > room }
  }

  /**
   * A weighted prompt in as many contexts as it needs, each with its own marks: what is beyond one context is read by the encoder on its own.
   * @param most contexts at most; what is beyond them is cut off
   */
  encodeWeighted(spans: readonly PromptSpan[], most: number): { readonly contexts: readonly WeightedIds[]; readonly cut: boolean } {
    const { length } = this.options
    const room = length - 2
    const tokens = spans.flatMap(({ text, weight }) => this.tokens(text).map((id) => ({ id, weight })))
    const count = Math.min(most, Math.max(1, Math.ceil(tokens.length / room)))
    const contexts = Array.from({ length: count }, (_, i) => {
      const part = tokens.slice(i * room, (i + 1) * room)
      const ids = new Int32Array(length).fill(this.pad)
      ids.set([this.begin, ...part.map(({ id }) => id), this.end])
      const weights = new Float32Array(length).fill(1)
      weights.set(
        part.map(({ weight }) => weight),
        1,
      )
      return { ids, weights }
    })
    return { contexts, cut: tokens.length > count * room }
  }

  /** Ids of a text without marks and padding. */
  private tokens(text: string): number[] {
    const tokens: number[] = []
    for (const part of normalise(text).split(this.splitter)) {
      const special = this.specials.get(part)
      if (special !== undefined) tokens.push(special)
      else for (const [piece] of part.matchAll(PIECES)) tokens.push(...this.piece(piece))
    }
    return tokens
  }

  private piece(piece: string): readonly number[] {
    let ids = this.cache.get(piece)
    if (ids === undefined) {
      // Parts the vocabulary does not know become the end mark, CLIP's unknown token.
      ids = this.merge(piece).map((part) => this.ids.get(part) ?? this.end)
      if (this.cache.size < 10_000) this.cache.set(piece, ids)
    }
    return ids
  }

  /** Joins the neighbours of lowest rank until no merge applies (Sennrich et al. 2016). */
  private merge(piece: string): string[] {
    let parts = Array.from(new TextEncoder().encode(piece), (byte) => byteCharacters[byte] ?? '')
    parts[parts.length - 1] += '</w>'
    for (;;) {
      let best = Infinity
      for (let i = 0; i + 1 < parts.length; i++) best = Math.min(best, this.ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Infinity)
      if (best === Infinity) return parts
      const joined: string[] = []
      for (let i = 0; i < parts.length; i++) {
        const part = parts[i] ?? ''
        const next = parts[i + 1]
        if (next !== undefined && this.ranks.get(`${part} ${next}`) === best) {
          joined.push(part + next)
          i++
        } else joined.push(part)
      }
      parts = joined
    }
  }
}

function normalise(text: string): string {
  // Character by character: the reference knows no final sigma.
  return Array.from(text.normalize('NFC').replace(WHITE, ' '), (character) => character.toLowerCase()).join('')
}

/** The printable character that stands for each byte (GPT-2's table): printable ones for themselves, the rest from U+0100 on. */
const byteCharacters: readonly string[] = (() => {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++))
})()
