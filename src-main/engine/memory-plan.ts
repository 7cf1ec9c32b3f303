import type { MemoryPlan, MemoryRung } from '../contract/memory-plan.ts'
import type { MachineMemory } from './runtime/memory.ts'

/** What one network of a job takes. */
export interface NetworkNeed {
  readonly name: string
  readonly weightBytes: number
  /** What a run takes besides the weights. */
  readonly runBytes: number
  /** Whether steps need it: it is loaded together with the others that steps need. */
  readonly eachStep: boolean
  /** Whether the runtime keeps that memory after a run, for the next one. */
  readonly keeps: boolean
}

/** A job's needs as one way of doing it has them. */
export interface JobNeeds {
  readonly networks: readonly NetworkNeed[]
  /** What the job would keep for retries, were there room. */
  readonly cacheBytes: number
}

export interface Alternatives {
  /** The same job with 8-bit weights; null where they are used already or were never made. */
  readonly eightBit: JobNeeds | null
  /** The same job at smaller sizes, largest first. */
  readonly smaller: readonly { readonly size: number; readonly needs: JobNeeds }[]
}

/** The process itself: Node, the runtime, the filling network, a scene of some megapixels. */
const PROCESS_BYTES = 400 * 2 ** 20
/** What is left to the rest of the machine. */
const LEAST_SPARE_BYTES = 256 * 2 ** 20
const SPARE_SHARE = 0.03
/** A job of few caches still shares the text, tokens and latents of its own candidates. */
const SMALL_CACHE_BYTES = 48 * 2 ** 20
/** What the estimate is off by at most, see runtime/README.md. */
const ERROR = 0.15

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
const most = (values: readonly number[]): number => Math.max(0, ...values)

interface Way {
  readonly rung: MemoryRung
  readonly weights: number
  readonly cache: number
  readonly need: number
}

/** The ways that change no pixel, the fastest first. */
function waysOf({ networks, cacheBytes }: JobNeeds): Way[] {
  const all = sum(networks.map(({ weightBytes }) => weightBytes))
  const largest = most(networks.map(({ weightBytes }) => weightBytes))
  const together = Math.max(largest, sum(networks.map(({ eachStep, weightBytes }) => (eachStep ? weightBytes : 0))))
  const kept = sum(networks.map(({ keeps, runBytes }) => (keeps ? runBytes : 0)))
  const passing = most(networks.map(({ keeps, runBytes }) => (keeps ? 0 : runBytes)))
  const small = Math.min(cacheBytes, SMALL_CACHE_BYTES)
  const way = (rung: MemoryRung, weights: number, cache: number, runs: number): Way => ({ rung, weights, cache, need: PROCESS_BYTES + weights + runs + cache })
  const alone = most(networks.map(({ weightBytes, runBytes }) => weightBytes + runBytes)) - largest
  return [
    way('whole', all, cacheBytes, kept + passing),
    way('in-turn', together, cacheBytes, kept + passing),
    way('small-cache', together, small, kept + passing),
    way('one-by-one', largest, small, alone),
  ]
}

/**
 * Whether a job fits, and how it is done so that it does. Numbers in, numbers out.
 * @param machine null: a graphics card that does not tell its memory
 * @param budgetBytes what the person lets models take; null: what there is
 */
export function planMemory(job: JobNeeds, others: Alternatives, machine: MachineMemory | null, budgetBytes: number | null): MemoryPlan {
  const room = machine === null ? null : roomOf(machine, budgetBytes)
  const ways = waysOf(job)
  const way = ways.find(({ need }) => room === null || need <= room) ?? ways.at(-1)!
  const verdict = verdictOf(way.need, room)
  return {
    verdict,
    rung: way.rung,
    needBytes: way.need,
    roomBytes: room,
    // What nobody needs may hold networks of jobs before.
    weightBudgetBytes: way.weights + (way.rung === 'whole' && room !== null ? Math.max(0, room - way.need) : 0),
    cacheBytes: way.cache,
    offer: offerOf(others, room, verdict === 'does-not-fit'),
  }
}

/** What this process holds already is there for the job too. */
function roomOf({ totalBytes, availableBytes, ownBytes }: MachineMemory, budgetBytes: number | null): number {
  const room = Math.max(0, availableBytes + ownBytes - Math.max(LEAST_SPARE_BYTES, totalBytes * SPARE_SHARE))
  return budgetBytes === null ? room : Math.min(room, budgetBytes + PROCESS_BYTES)
}

function verdictOf(need: number, room: number | null): MemoryPlan['verdict'] {
  if (room === null) return 'unknown'
  if (need <= room) return 'fits'
  return need <= room * (1 + ERROR) ? 'tight' : 'does-not-fit'
}

/** The first thing that makes it fit; where nothing does, or it fits already, the next one down. */
function offerOf({ eightBit, smaller }: Alternatives, room: number | null, mustFit: boolean): MemoryPlan['offer'] {
  const fits = (needs: JobNeeds): boolean => room === null || waysOf(needs).some(({ need }) => need <= room)
  if (eightBit !== null && (!mustFit || fits(eightBit))) return { kind: '8bit' }
  const size = (mustFit ? smaller.find(({ needs }) => fits(needs)) : smaller[0])?.size
  if (size !== undefined) return { kind: 'size', size }
  return null
}

const GIB = 2 ** 30
const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`

const DONE: Readonly<Record<Exclude<MemoryRung, 'whole'>, string>> = {
  'in-turn': 'networks are loaded in turn',
  'small-cache': 'networks are loaded in turn and little is kept for the next job',
  'one-by-one': 'one network is loaded at a time, which is slow',
}

/** One line for a person; null where everything fits without further ado. */
export function planLine({ verdict, rung, needBytes, roomBytes, offer }: MemoryPlan): string | null {
  if (roomBytes === null || (verdict === 'fits' && rung === 'whole')) return null
  const numbers = `about ${gib(needBytes)} needed, ${gib(roomBytes)} there`
  const way = offer === null ? 'close other programs, or take a smaller model' : offer.kind === '8bit' ? 'use 8-bit weights' : `use size ${offer.size}`
  if (verdict === 'does-not-fit') return `The job does not fit into memory (${numbers}): ${way}.`
  const done = rung === 'whole' ? 'nothing can be spared' : DONE[rung]
  return `Memory is ${verdict === 'tight' ? 'very ' : ''}tight (${numbers}): ${done}.`
}
