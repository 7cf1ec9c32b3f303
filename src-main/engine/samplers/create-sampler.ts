import type { SamplerName } from '../../contract/recipe.ts'
import { ddim, largenDdim } from './ddim.ts'
import { dpmSolver } from './dpm-solver.ts'
import { euler } from './euler.ts'
import { lcm } from './lcm.ts'
import { pndm } from './pndm.ts'
import type { ScheduleConfig } from './schedule.ts'
import type { Sampler } from './sampler.ts'

/** @throws RangeError for a number of steps the solver cannot make */
export function createSampler(name: SamplerName, schedule: ScheduleConfig, steps: number): Sampler {
  switch (name) {
    case 'ddim':
      return schedule.spacing === 'trailing-fractional' ? largenDdim(schedule, steps) : ddim(schedule, steps)
    case 'euler':
      return euler(schedule, steps, false)
    case 'euler-a':
      return euler(schedule, steps, true)
    case 'dpmpp-2m':
      return dpmSolver(schedule, steps, false)
    case 'dpmpp-2m-karras':
      return dpmSolver(schedule, steps, true)
    case 'pndm':
      return pndm(schedule, steps)
    case 'lcm':
      return lcm(schedule, steps)
  }
}
