import { describe, expect, it } from 'vitest'
import { withoutRay } from '../../../src-main/cli/ray.ts'

describe('what a part of a spread command is told', () => {
  it("is what was typed, the judge by SAM 2 and all, without Ray's business, --json and another --shard", () => {
    const typed = [
      'evaluate',
      '--benchmark',
      'B',
      '--ray',
      'auto',
      '--sam',
      '--ray-shards=4',
      '--ray-cpus',
      '2',
      '--json',
      '--limit',
      '2',
      '--python',
      'P',
      '--out',
      'O',
    ]
    expect(withoutRay(typed)).toEqual(['evaluate', '--benchmark', 'B', '--sam', '--limit', '2', '--out', 'O'])
    expect(withoutRay(['dataset', 'build', '--ray=auto', '--no-faces', '--shard', '1/2', '--out', 'O'])).toEqual([
      'dataset',
      'build',
      '--no-faces',
      '--out',
      'O',
    ])
  })
})
