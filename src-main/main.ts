import { app } from 'electron'
import { Application } from './shell/application.ts'
import { filesOfArguments, wantsSample } from './shell/open-requests.ts'
import { privilegeSchemes } from './shell/schemes.ts'

privilegeSchemes()

// [Note: one instance] Two processes over one recovery folder would fight; the second hands its files to the first and ends.
const files = filesOfArguments(process.argv, { cwd: process.cwd(), packaged: app.isPackaged })
if (!app.requestSingleInstanceLock({ files })) {
  app.quit()
} else {
  const application = new Application({ files, sample: wantsSample(process.argv) })
  app.on('second-instance', (_event, _argv, _cwd, handed) => application.receive(handed))
  app.on('open-file', (event, path) => {
    event.preventDefault()
    application.receive({ files: [path] })
  })
  app.on('window-all-closed', () => app.quit())
  app.on('before-quit', (event) => application.quitting(event))
  app
    .whenReady()
    .then(() => application.start())
    .catch((error: unknown) => application.cannotStart(error))
}
