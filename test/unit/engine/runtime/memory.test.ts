import { describe, expect, it } from 'vitest'
import { readMemory, type MachineFacts } from '../../../../src-main/engine/runtime/memory.ts'

const GIB = 2 ** 30

/** A Linux machine of 16 GiB with 10 GiB available, and the files that stand in its way. */
function linux(files: Readonly<Record<string, string>>): MachineFacts {
  const all: Readonly<Record<string, string>> = {
    '/proc/meminfo': `MemTotal:       ${16 * 2 ** 20} kB\nMemFree:        ${2 * 2 ** 20} kB\nMemAvailable:   ${10 * 2 ** 20} kB\n`,
    '/proc/self/status': `VmRSS:\t ${3 * 2 ** 20} kB\nRssAnon:\t   ${2 ** 20} kB\n`,
    ...files,
  }
  return { platform: 'linux', totalBytes: 16 * GIB, freeBytes: 2 * GIB, residentBytes: 3 * GIB, read: (path) => all[path] ?? null }
}

describe('the memory of a machine', () => {
  it('is on Linux what the kernel calls available, and of this process what is not mapped from files', () => {
    expect(readMemory(linux({}))).toEqual({ totalBytes: 16 * GIB, availableBytes: 10 * GIB, ownBytes: GIB })
  })

  it.each([
    {
      name: 'version 2, a limit on the group itself; kept files count as free',
      files: {
        '/proc/self/cgroup': '0::/app\n',
        '/sys/fs/cgroup/app/memory.max': `${4 * GIB}\n`,
        '/sys/fs/cgroup/app/memory.current': `${3 * GIB}\n`,
        '/sys/fs/cgroup/app/memory.stat': `anon 5\ninactive_file ${GIB}\n`,
      },
      total: 4,
      available: 2,
    },
    {
      name: 'version 2, a limit on a parent alone',
      files: {
        '/proc/self/cgroup': '0::/slice/app\n',
        '/sys/fs/cgroup/slice/app/memory.max': 'max\n',
        '/sys/fs/cgroup/slice/app/memory.current': `${GIB}\n`,
        '/sys/fs/cgroup/slice/memory.max': `${6 * GIB}\n`,
        '/sys/fs/cgroup/slice/memory.current': `${5 * GIB}\n`,
      },
      total: 6,
      available: 1,
    },
    {
      name: 'version 1, the limit of a container whose own path is not to be seen',
      files: {
        '/proc/self/cgroup': '7:cpu,cpuacct:/docker/1\n4:memory:/docker/1\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${2 * GIB}\n`,
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
        '/sys/fs/cgroup/memory/memory.stat': `inactive_file 1\ntotal_inactive_file ${GIB / 2}\n`,
      },
      total: 2,
      available: 1.5,
    },
    {
      name: 'version 1 without a limit, which it writes as a number above all memory',
      files: {
        '/proc/self/cgroup': '4:memory:/\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
        '/sys/fs/cgroup/memory/memory.usage_in_bytes': `${GIB}\n`,
      },
      total: 16,
      available: 10,
    },
    {
      name: 'a group that is full: nothing, not less than nothing',
      files: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': `${GIB}\n`, '/sys/fs/cgroup/memory.current': `${2 * GIB}\n` },
      total: 1,
      available: 0,
    },
  ])('is bound by control groups: $name', ({ files, total, available }) => {
    const read = readMemory(linux(files))
    expect([read.totalBytes / GIB, read.availableBytes / GIB]).toEqual([total, available])
  })

  it('is elsewhere what the system calls free; on macOS most of what this process does not hold', () => {
    const facts = { totalBytes: 10 * GIB, freeBytes: GIB, residentBytes: 2 * GIB, read: () => null }
    expect(readMemory({ ...facts, platform: 'win32' })).toEqual({ totalBytes: 10 * GIB, availableBytes: GIB, ownBytes: 2 * GIB })
    expect(readMemory({ ...facts, platform: 'darwin' })).toEqual({ totalBytes: 10 * GIB, availableBytes: 5 * GIB, ownBytes: 2 * GIB })
  })
})
