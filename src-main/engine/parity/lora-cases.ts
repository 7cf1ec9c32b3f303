import { join } from 'node:path'
import { z } from 'zod'
import { readModelParts } from '../weights/layouts.ts'
import { readLora, type Lora } from '../weights/lora.ts'
import type { Bench } from './bench.ts'
import type { Outputs } from './case-runner.ts'
import { networkCases } from './network-cases.ts'
import { paramsOf } from './params.ts'
import type { ReferenceCase } from './reference-set.ts'

const loraParams = z.object({ loras: z.array(z.object({ file: z.string().regex(/^[^/\\]+$/), scale: z.number() })) })

/** LoRAs over the set of Stable Diffusion beside this one; every case names its files and their strengths. */
export async function loraCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const { loras } = paramsOf(one, loraParams)
  const model = await bench.assembled(JSON.stringify(loras), async () => {
    const parts = await readModelParts(bench.set.sibling('sd15-inpaint'))
    const read: Lora[] = []
    for (const { file, scale } of loras) read.push(await readLora({ path: join(bench.set.folder, file), scale }, parts))
    return { ...parts, loras: read }
  })
  return networkCases({ ...bench, model: () => Promise.resolve(model) }, one)
}
