import { existsSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { output } from './run.mjs'
import { say } from './say.mjs'

/** What Electron loads on Linux, with the Debian package that brings it. `t64` is the name since Debian 13 and Ubuntu 24.04. */
const LIBRARIES = [
  ['libgtk-3.so.0', 'libgtk-3-0'],
  ['libnss3.so', 'libnss3'],
  ['libasound.so.2', 'libasound2'],
  ['libgbm.so.1', 'libgbm1'],
  ['libXss.so.1', 'libxss1'],
  ['libnotify.so.4', 'libnotify4'],
  ['libsecret-1.so.0', 'libsecret-1-0'],
  ['libXtst.so.6', 'libxtst6'],
  ['libatspi.so.0', 'libatspi2.0-0'],
  ['libdrm.so.2', 'libdrm2'],
  ['libxkbcommon.so.0', 'libxkbcommon0'],
]
const PROGRAMS = [['/usr/bin/dbus-daemon', 'dbus']]
const FONTS = [['/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf', 'fonts-dejavu-core']]
const DISPLAY = [['/usr/bin/Xvfb', 'xvfb']]

/** Looks for what Electron needs of a Linux system; installs it as root on Debian and Ubuntu, else names it. A display server only where there is no display. */
export function prepareSystem() {
  if (process.platform !== 'linux') return
  let missing = missingPackages()
  if (missing.length === 0) return
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    install(missing)
    missing = missingPackages()
    if (missing.length === 0) return
  }
  say(`this system lacks: ${missing.join(' ')} (Debian and Ubuntu names); install them, or the window may not open`)
}

function missingPackages() {
  const known = output('/sbin/ldconfig', ['-p']) ?? output('ldconfig', ['-p'])
  const missing = known === null ? [] : LIBRARIES.filter(([file]) => !known.includes(`${file} `)).map(([, name]) => name)
  const files = [...PROGRAMS, ...FONTS, ...(process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? [] : DISPLAY)]
  // Other distributions keep fonts and dbus elsewhere: their paths only count where Debian's package names do.
  const isDebian = existsSync('/etc/debian_version')
  for (const [file, name] of files) if (!existsSync(file) && (isDebian || name === 'xvfb')) missing.push(name)
  return missing
}

function install(names) {
  say(`installing ${names.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) =>
    spawnSync('apt-get', ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  apt('update')
  const current = names.map((name) => (isKnown(`${name}t64`) ? `${name}t64` : name))
  const done = apt('install', '-y', '--no-install-recommends', ...current)
  if (done.status !== 0) say(`apt-get install failed: ${done.stderr.trim().split('\n').at(-1) ?? 'no message'}`)
}

function isKnown(name) {
  return (output('apt-cache', ['show', '--no-all-versions', name]) ?? '').includes(`Package: ${name}`)
}

/** Libraries that the program at this path asks for and the loader cannot find. */
export function unresolvedLibraries(program) {
  if (process.platform !== 'linux') return []
  const lines = (output('ldd', [program]) ?? '').split('\n')
  return lines.filter((line) => line.includes('not found')).map((line) => line.trim().split(' ')[0])
}

export function systemName() {
  try {
    return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? process.platform
  } catch {
    return process.platform
  }
}
