import { mount } from 'svelte'
import { z } from 'zod'
import App from './App.svelte'
import { CanvasModel } from './canvas/index.ts'
import { failureLine } from './i18n/index.svelte.ts'
import { AppState } from './state/app.svelte.ts'
import { asFailure } from './state/bridge.ts'
import { linkOfPort } from './state/engine.svelte.ts'
import './styles/tokens.css'
import './styles/base.css'

// [Note: zod without eval] zod writes parsers as text and runs them where it may; the content security policy forbids it, so it need not try.
z.config({ jitless: true })

const bridge = window.larkspur
const target = document.getElementById('app')
if (!bridge || !target) throw new Error('This page runs inside Larkspur only: its bridge to the application is missing.')

const canvas = new CanvasModel({ bridge, onfailure: (cause) => app.notices.show('error', failureLine(asFailure(cause))) })
const app: AppState = new AppState(bridge, canvas)

// The engine's port arrives each time an engine process starts; see LarkspurBridge of the contract.
window.addEventListener('message', (event: MessageEvent<unknown>) => {
  const port = event.ports[0]
  if (event.source === window && event.data === 'larkspur-engine-port' && port) app.engine.connect(linkOfPort(port))
})

mount(App, { target, props: { app, canvas } })
void app.start()
