// `npm test [-- NAME...]`: every check of the project, a table, and the line `N passed, N failed`. With names only those checks run.
// A check of its own counts one; each test of vitest counts itself. Cheap checks run side by side, what measures time or opens windows runs alone.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { needsDisplay, startDisplay } from './lib/display.mjs'
import { root } from './lib/paths.mjs'

const reports = join(root, 'test-results')
const MINUTE = 60_000

const tool = (path, ...args) => [process.execPath, join(root, 'node_modules', path), ...args]
const vitest = (project) =>
  tool('vitest/vitest.mjs', 'run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${reportOf(project)}`)
const reportOf = (project) => join(reports, `${project}.json`)

/** Checks of one group run side by side, as many as there are cores; groups run one after the other. */
const GROUPS = [
  [
    { name: 'types', command: tool('typescript/bin/tsc', '--noEmit', '-p', '.'), limit: 5 * MINUTE },
    {
      name: 'svelte',
      command: tool('svelte-check/bin/svelte-check', '--tsconfig', 'tsconfig.json', '--fail-on-warnings', '--output', 'human'),
      limit: 5 * MINUTE,
    },
    { name: 'lint', command: tool('eslint/bin/eslint.js', '--max-warnings', '0', '.'), limit: 5 * MINUTE },
    { name: 'format', command: tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'), limit: 3 * MINUTE },
    { name: 'unused', command: tool('knip/bin/knip.js', '--no-progress'), limit: 3 * MINUTE },
    { name: 'build', command: [process.execPath, join(root, 'build', 'build.mjs')], limit: 5 * MINUTE },
  ],
  [{ name: 'unit', command: vitest('unit'), report: reportOf('unit'), limit: 10 * MINUTE }],
  [{ name: 'e2e', command: vitest('e2e'), report: reportOf('e2e'), limit: 15 * MINUTE, window: true }],
  [{ name: 'faults', command: vitest('faults'), report: reportOf('faults'), limit: 15 * MINUTE, window: true }],
]

/** Ends a check with everything that it started. */
function end(child) {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL')
    else process.kill(-child.pid, 'SIGKILL')
  } catch {
    // It is gone already.
  }
}

const atWork = new Set()
for (const signal of ['SIGINT', 'SIGTERM'])
  process.on(signal, () => {
    for (const child of atWork) end(child)
    process.exit(130)
  })

/** Runs one check to its end; what it prints is kept and shown only when it fails. */
function run(check) {
  const startMs = Date.now()
  return new Promise((resolve) => {
    const [program, ...args] = check.command
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, CI: '1', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    })
    atWork.add(child)
    const chunks = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => chunks.push(bytes))
    let timedOut = false
    const timer = setTimeout(() => {
      timedOut = true
      end(child)
    }, check.limit)
    child.on('error', (error) => chunks.push(Buffer.from(String(error))))
    child.on('close', (code) => {
      clearTimeout(timer)
      atWork.delete(child)
      const text = Buffer.concat(chunks).toString('utf8') + (timedOut ? `\nstopped after ${check.limit / MINUTE} minutes\n` : '')
      resolve({ name: check.name, ok: code === 0, seconds: (Date.now() - startMs) / 1000, text, ...counts(check, code === 0) })
    })
  })
}

function counts(check, ok) {
  if (!check.report) return { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }
  try {
    const report = JSON.parse(readFileSync(check.report, 'utf8'))
    // A file that cannot even be loaded holds no tests in the report, but is a failure all the same.
    const unloaded = report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')).length
    const failed = report.numFailedTests + unloaded
    return { passed: report.numPassedTests, failed: ok ? failed : Math.max(1, failed), skipped: report.numPendingTests + report.numTodoTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

/** Runs a group with at most `width` checks at a time. */
async function runGroup(group, width) {
  const waiting = [...group]
  const results = []
  const worker = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const result = await run(check)
      results.push(result)
      process.stdout.write(`${result.ok ? 'ok    ' : 'FAILED'} ${result.name} (${result.seconds.toFixed(1)} s)\n`)
      if (!result.ok) process.stdout.write(`${lastLines(result.text, 120)}\n`)
    }
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

function lastLines(text, count) {
  return text
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n')
}

function table(results) {
  const rows = results.map((result) => [result.name, result.passed, result.failed, result.skipped, `${result.seconds.toFixed(1)} s`].map(String))
  const all = [['check', 'passed', 'failed', 'skipped', 'time'], ...rows]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
  return all.map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('  ')).join('\n')
}

const only = new Set(process.argv.slice(2))
const groups = GROUPS.map((group) => group.filter((check) => only.size === 0 || only.has(check.name))).filter((group) => group.length > 0)
const unknown = [...only].filter((name) => !GROUPS.flat().some((check) => check.name === name))
if (unknown.length > 0) {
  process.stderr.write(
    `no check named ${unknown.join(', ')}; there are ${GROUPS.flat()
      .map((check) => check.name)
      .join(', ')}\n`,
  )
  process.exit(2)
}

rmSync(reports, { recursive: true, force: true })
mkdirSync(reports, { recursive: true })
const endDisplay = needsDisplay() && groups.flat().some((check) => check.window) ? await startDisplay() : () => {}
const results = []
try {
  for (const group of groups) results.push(...(await runGroup(group, Math.min(availableParallelism(), group.length))))
} finally {
  endDisplay()
}

const passed = results.reduce((sum, result) => sum + result.passed, 0)
const failed = results.reduce((sum, result) => sum + result.failed, 0)
process.stdout.write(`\n${table(results)}\n\n${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
