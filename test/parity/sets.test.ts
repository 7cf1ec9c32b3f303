import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openBench } from '../../src-main/engine/parity/bench.ts'
import { CPU } from '../../src-main/engine/runtime/device.ts'
import { runCase } from '../../src-main/engine/parity/runners.ts'
import { judge } from '../../src-main/engine/parity/run-parity.ts'
import { openReferenceSet } from '../../src-main/engine/parity/reference-set.ts'

const root = join(import.meta.dirname, '../..')
const own = join(import.meta.dirname, 'sets')
const published = join(root, '../shared/reference')

/** Sets beside the repository are run too, where there are any: they bring a tokenizer folder. */
const folders = [
  ...readdirSync(own).map((name) => join(own, name)),
  ...['sd15-inpaint', 'ip-adapter-plus', 'largen-sd15', 'largen-image', 'sdxl-base', 'largen-sdxl', 'tiny-vae'].map((name) => join(published, name)),
].filter((folder) => existsSync(join(folder, 'cases.json')))

for (const folder of folders) {
  const set = await openReferenceSet(folder)
  describe(`${set.kind} in ${folder.startsWith(own) ? 'test/parity/sets' : 'shared/reference'}`, () => {
    const bench = openBench(set, CPU, set.kind === 'mini' ? join(root, 'resources/models/mini') : undefined)
    for (const one of set.cases) {
      it(one.name, async () => {
        const { passed, outputs, failure } = await judge(one, () => runCase(bench, one))
        expect(failure).toBeNull()
        expect(outputs.filter((output) => !output.passed)).toEqual([])
        expect(passed && outputs.length > 0).toBe(true)
      })
    }
  })
}
