import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { channels, windowEvents, type LarkspurBridge } from './contract/channels.ts'
import type { Failure } from './contract/basics.ts'

// The only door of the page. It lets through what the contract names and nothing else; what comes from main is parsed here once more.
type Answer = { ok: true; value: unknown } | { ok: false; failure: Failure }

const bridge: LarkspurBridge = {
  async call(name, input) {
    if (!Object.hasOwn(channels, name)) throw failure({ code: 'bad-call', message: `no channel ${String(name)}` })
    const answer = (await ipcRenderer.invoke(`larkspur:${name}`, input)) as Answer
    if (!answer.ok) throw failure(answer.failure)
    return channels[name].out.parse(answer.value) as never
  },
  on(name, listener) {
    if (!Object.hasOwn(windowEvents, name)) throw failure({ code: 'bad-call', message: `no event ${String(name)}` })
    const heard = (_event: unknown, payload: unknown): void => listener(windowEvents[name].parse(payload) as never)
    ipcRenderer.on(`larkspur:${name}`, heard)
    return () => void ipcRenderer.off(`larkspur:${name}`, heard)
  },
  pathOfFile: (file) => webUtils.getPathForFile(file),
}

/** A plain object: the context bridge keeps only the message of an Error, and the code would be lost. */
function failure(reason: Failure): Failure {
  return { ...reason }
}

contextBridge.exposeInMainWorld('larkspur', bridge)

// [Note: the engine's port] A port cannot cross the context bridge, a message event of the window can carry it.
ipcRenderer.on('larkspur-engine-port', (event) => window.postMessage('larkspur-engine-port', window.location.origin, event.ports))
