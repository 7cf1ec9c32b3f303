import type { MemoryPlan, PlanJob } from '../contract/memory-plan.ts'
import { UserError } from '../contract/errors.ts'
import { cacheBytes } from './byte-cache.ts'
import type { JobShape } from './memory-needs.ts'
import { planLine, planMemory, type JobNeeds } from './memory-plan.ts'
import type { LarGenModel } from './model.ts'
import { CPU, type Device } from './runtime/device.ts'
import { readGraphics } from './runtime/machine.ts'
import { readMemory, type MachineMemory } from './runtime/memory.ts'

/** What planning asks for: the job's model with full or 8-bit weights, from headers alone. */
export type Sketch = (weights: PlanJob['speed']['weights']) => Promise<LarGenModel>

/** Sides that are offered in a size's place: multiples of 64, not below half of it. */
function smallerSizes(size: number): number[] {
  const sizes: number[] = []
  for (let side = size - 64; side >= Math.max(64, size / 2); side -= 64) sizes.push(side)
  return sizes
}

/** The plan of a job on a device; null for a fill, which runs no model. */
export async function planJob(
  job: PlanJob,
  sketch: Sketch,
  device: Device,
  budgetBytes: number | null,
  machine: MachineMemory | null = memoryOf(device),
): Promise<MemoryPlan | null> {
  if (job.mode === 'fill') return null
  const model = await sketch(job.speed.weights)
  const needsAt = (of: LarGenModel, size: number): JobNeeds => {
    const needs = of.memoryNeeds(shapeOf(job, size))
    return { ...needs, cacheBytes: Math.min(cacheBytes(), needs.cacheBytes) }
  }
  const rounded = job.speed.weights === '8bit' ? null : await sketch('8bit')
  const step = model.facts.vaeFactor * model.facts.latentMultiple
  return planMemory(
    needsAt(model, job.size),
    {
      eightBit: rounded === null || rounded.facts.fullWeightsNotice !== undefined ? null : needsAt(rounded, job.size),
      smaller: smallerSizes(job.size)
        .filter((size) => size % step === 0)
        .map((size) => ({ size, needs: needsAt(model, size) })),
    },
    machine,
    budgetBytes,
  )
}

/** @throws UserError `does-not-fit` */
export function expectFits(plan: MemoryPlan | null): void {
  if (plan?.verdict === 'does-not-fit') throw new UserError('does-not-fit', planLine(plan) ?? 'The job does not fit into memory.')
}

function shapeOf({ mode, guidance, refine, speed, steps, subjects }: PlanJob, size: number): JobShape {
  const subject = mode !== 'text' && subjects > 0
  return {
    size,
    batch: guidance === 1 ? 1 : 2,
    subject,
    refine: subject && refine,
    shallow: speed.reuse > 1,
    pictures: subjects,
    referenceSteps: Math.ceil(steps / speed.refineEvery),
  }
}

/** A graphics card has memory of its own, which not every driver tells. */
function memoryOf({ provider }: Device): MachineMemory | null {
  if (provider === CPU.provider) return readMemory()
  const { memoryBytes } = readGraphics()
  return memoryBytes === null ? null : { totalBytes: memoryBytes, availableBytes: memoryBytes, ownBytes: 0 }
}
