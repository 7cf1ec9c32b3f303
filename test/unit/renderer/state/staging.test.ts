import { expect, test } from 'vitest'
import { GenerateJob } from '../../../../src-renderer/state/engine.svelte.ts'
import { Staging } from '../../../../src-renderer/state/staging.svelte.ts'
import { candidate, recipe } from '../helpers.ts'

function staged(kind: 'candidates' | 'strip' = 'candidates') {
  const job = new GenerateJob('job', kind, recipe(), [
    { seed: 1, beta: 0.5 },
    { seed: 2, beta: 0 },
    { seed: 3, beta: 1 },
  ])
  const staging = new Staging()
  staging.begin(job)
  return { job, staging }
}

test('shows the first candidate that is there, then what is chosen', () => {
  const { job, staging } = staged()
  expect(staging.selected).toBe(job.slots[0])
  expect(staging.acceptable).toBeNull()
  job.slots[1]!.candidate = candidate(recipe({ seed: 2 }))
  expect(staging.selected).toBe(job.slots[1])
  staging.select('job/2')
  expect(staging.selected).toBe(job.slots[2])
})

test('walks round the end', () => {
  const { job, staging } = staged()
  staging.walk(-1)
  expect(staging.selected).toBe(job.slots[2])
  staging.walk(1)
  expect(staging.selected).toBe(job.slots[0])
})

test('the pointer shows without choosing', () => {
  const { job, staging } = staged()
  staging.hoveredKey = 'job/1'
  expect(staging.shown).toBe(job.slots[1])
  expect(staging.selected).toBe(job.slots[0])
})

test('a strip stands in the order of beta', () => {
  expect(staged('strip').staging.slots.map((slot) => slot.variant.beta)).toEqual([0, 0.5, 1])
})

test('places that were cancelled empty are gone', () => {
  const { job, staging } = staged()
  job.slots[0]!.candidate = candidate(recipe())
  job.slots[0]!.state = 'done'
  job.end('cancelled', null)
  expect(staging.slots).toEqual([job.slots[0]])
})
