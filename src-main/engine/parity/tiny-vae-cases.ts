import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../../contract/errors.ts'
import { emptyParts } from '../weights/model-parts.ts'
import { openTinyAutoencoder } from '../weights/tiny-vae.ts'
import type { Bench } from './bench.ts'
import { unknownCase, type Outputs } from './case-runner.ts'
import { farther } from './farther.ts'
import type { ReferenceCase } from './reference-set.ts'

/** The tiny autoencoder in each layout that the set holds, one folder a layout; of several results the one farthest from what is expected counts. */
export async function tinyVaeCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const entries = await readdir(bench.set.folder, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(bench.set.folder, entry.name))
  let outputs: Outputs | null = null
  for (const folder of folders.sort()) {
    const model = await bench.assembled(folder, async () => ({ ...emptyParts(folder), preview: await openTinyAutoencoder(folder) }))
    const got = one.name.startsWith('encode')
      ? { latent: await model.encodePreview(await one.tensor('image')) }
      : one.name.startsWith('decode')
        ? { image: await model.decodePreview(await one.tensor('latent')) }
        : null
    if (got === null) throw unknownCase(bench, one)
    outputs = outputs === null ? got : await farther(one, outputs, got)
  }
  if (outputs === null) throw new UserError('model-missing', `${bench.set.folder} holds no folder of a tiny autoencoder`)
  return outputs
}
