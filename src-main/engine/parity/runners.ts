import { computeImageCase, type ReferenceArray } from './image-cases.ts'
import type { Bench } from './bench.ts'
import { unknownCase, type Outputs, type Runner } from './case-runner.ts'
import { adapterCases } from './adapter-cases.ts'
import { exampleCases } from './example-cases.ts'
import { guideCases } from './guide-cases.ts'
import { largenCases } from './largen-cases.ts'
import { loraCases } from './lora-cases.ts'
import { miniCases } from './mini-cases.ts'
import { networkCases } from './network-cases.ts'
import { pipelineCase } from './pipeline-case.ts'
import type { ReferenceCase } from './reference-set.ts'
import { sdxlCases } from './sdxl-cases.ts'
import { scepterCases } from './scepter-cases.ts'
import { schedulerCase } from './scheduler-case.ts'
import { tinyVaeCases } from './tiny-vae-cases.ts'

interface Entry {
  /** Names of the cases it computes. */
  readonly pattern: RegExp
  /** Kinds of set it is meant for; any when left out. */
  readonly kinds?: readonly string[]
  readonly run: Runner
}

/** Which function computes which case; the first that fits is taken. */
const registry: readonly Entry[] = [
  { pattern: /./, kinds: ['largen-image'], run: imageCase },
  { pattern: /./, kinds: ['ip-adapter-plus'], run: adapterCases },
  { pattern: /./, kinds: ['largen-sd15'], run: largenCases },
  { pattern: /./, kinds: ['lora'], run: loraCases },
  { pattern: /./, kinds: ['tiny-vae'], run: tinyVaeCases },
  { pattern: /./, kinds: ['largen-sdxl'], run: scepterCases },
  { pattern: /./, kinds: ['paint-by-example'], run: exampleCases },
  { pattern: /^tokenizer/, run: networkCases },
  { pattern: /^(guide_|transfer_)/, kinds: ['mini'], run: guideCases },
  { pattern: /./, kinds: ['mini'], run: miniCases },
  { pattern: /^scheduler_/, run: schedulerCase },
  { pattern: /^pipeline/, run: pipelineCase },
  { pattern: /^(text_encoder|vae|unet)/, kinds: ['sd15-inpaint'], run: networkCases },
  { pattern: /./, kinds: ['sdxl-base'], run: sdxlCases },
]

/** @throws UserError `unknown-case` */
export async function runCase(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const entry = registry.find(({ pattern, kinds }) => pattern.test(one.name) && (kinds === undefined || kinds.includes(bench.set.kind)))
  if (entry === undefined) throw unknownCase(bench, one)
  return entry.run(bench, one)
}

async function imageCase(_bench: Bench, one: ReferenceCase): Promise<Outputs> {
  const inputs: Record<string, ReferenceArray> = {}
  for (const name of one.inputNames) inputs[name] = await one.input(name)
  return computeImageCase(one.name, one.params, inputs)
}
