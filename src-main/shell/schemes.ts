import { protocol } from 'electron'

/** The window's own page and scripts. `file:` would give the page rights over the disk. */
export const APP_SCHEME = 'larkspur-app'
export const APP_ORIGIN = `${APP_SCHEME}://window`
/** Tiles and stored pictures, see LarkspurBridge in the contract. */
export const IMAGE_SCHEME = 'larkspur-image'

/** Must run once, before the application is ready. */
export function privilegeSchemes(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
    { scheme: IMAGE_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, corsEnabled: true } },
  ])
}
