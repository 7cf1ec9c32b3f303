import { readFileSync } from 'node:fs'
import { freemem, totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** What the machine says of its memory, in bytes. */
export interface MachineMemory {
  /** Of the machine, or of the container this process lives in. */
  readonly totalBytes: number
  /** What new work may take now without anything being swapped out. */
  readonly availableBytes: number
  /** What this process holds itself; networks and caches that a job uses again or lets go. */
  readonly ownBytes: number
}

/** The text of a file, null where it cannot be read. */
export type FileReader = (path: string) => string | null

export interface MachineFacts {
  readonly platform: NodeJS.Platform
  readonly totalBytes: number
  readonly freeBytes: number
  readonly residentBytes: number
  readonly read: FileReader
}

/** macOS counts only memory that nobody ever touched as free; files it keeps and what it can compress are given to whoever asks. */
const MAC_SHARE = 0.7

export function readMemory(facts: MachineFacts = ofThisMachine()): MachineMemory {
  const { platform, totalBytes, freeBytes, residentBytes, read } = facts
  if (platform === 'darwin') return { totalBytes, availableBytes: Math.max(freeBytes, totalBytes * MAC_SHARE - residentBytes), ownBytes: residentBytes }
  if (platform !== 'linux') return { totalBytes, availableBytes: freeBytes, ownBytes: residentBytes }
  // Weights that are mapped from files count as available and as resident; only the rest is what this process would give back.
  const ownBytes = kilobytes(read('/proc/self/status'), 'RssAnon') ?? residentBytes
  const machine = { totalBytes, availableBytes: kilobytes(read('/proc/meminfo'), 'MemAvailable') ?? freeBytes, ownBytes }
  return cgroupsOf(read).reduce(
    (least, { limit, used }) =>
      limit >= totalBytes
        ? least
        : { ownBytes, totalBytes: Math.min(least.totalBytes, limit), availableBytes: Math.min(least.availableBytes, Math.max(0, limit - used)) },
    machine,
  )
}

function ofThisMachine(): MachineFacts {
  return {
    platform: process.platform,
    totalBytes: totalmem(),
    freeBytes: freemem(),
    residentBytes: process.memoryUsage.rss(),
    read: (path) => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return null
      }
    },
  }
}

/** A field of `/proc`, which counts in KiB. */
function kilobytes(text: string | null, field: string): number | undefined {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text ?? '')?.[1]
  return found === undefined ? undefined : Number(found) * 1024
}

/** Limits of the control groups around this process, version 2 and 1; a limit of any parent holds too. Kept files are not counted as used: they go first. */
function cgroupsOf(read: FileReader): { limit: number; used: number }[] {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n')
  const two = lines.find((line) => line.startsWith('0::'))?.slice(3)
  const one = lines.map((line) => /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/.exec(line)?.[1]).find((path) => path !== undefined)
  return [
    ...parentsOf(two).map((path) => groupAt(read, join('/sys/fs/cgroup', path), ['memory.max', 'memory.current', 'inactive_file'])),
    ...parentsOf(one).map((path) =>
      groupAt(read, join('/sys/fs/cgroup/memory', path), ['memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file']),
    ),
  ].filter((group) => group !== null)
}

/** A path and those above it. Inside a container the path may be the host's and not be there: the root is always asked. */
function parentsOf(path: string | undefined): string[] {
  if (path === undefined) return []
  return path === '/' || path === '' || path === '.' ? ['/'] : [path, ...parentsOf(dirname(path))]
}

function groupAt(read: FileReader, folder: string, [limitName, usedName, inactive]: readonly [string, string, string]): { limit: number; used: number } | null {
  const limit = Number(read(join(folder, limitName)) ?? NaN)
  const used = Number(read(join(folder, usedName)) ?? NaN)
  // "max" is no number: no limit.
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return null
  const files = Number(new RegExp(`^${inactive} (\\d+)`, 'm').exec(read(join(folder, 'memory.stat')) ?? '')?.[1] ?? 0)
  return { limit, used: Math.max(0, used - files) }
}
