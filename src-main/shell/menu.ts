import { Menu, type MenuItemConstructorOptions } from 'electron'
import { applicationMenu, type MenuCommand } from '../contract/menu.ts'
import type { Sample } from './samples.ts'

export interface MenuHooks {
  readonly onCommand: (id: string) => void
  readonly onSample: (id: string) => void
  readonly onFile: (path: string) => void
}

/** Builds the application's menu: the contract's commands, and what only the system or main can do. */
export function setMenu(samples: readonly Sample[], recentFiles: readonly string[], hooks: MenuHooks): void {
  const sections = applicationMenu.map((section): MenuItemConstructorOptions => ({
    label: section.label,
    submenu: [
      ...section.groups.flatMap((group, index) => [...(index > 0 ? [SEPARATOR] : []), ...group.map((command) => item(command, hooks))]),
      ...extras(section.label, samples, recentFiles, hooks),
    ],
  }))
  const application: MenuItemConstructorOptions[] = process.platform === 'darwin' ? [{ role: 'appMenu' }] : []
  Menu.setApplicationMenu(Menu.buildFromTemplate([...application, ...sections]))
}

const SEPARATOR: MenuItemConstructorOptions = { type: 'separator' }

function item(command: MenuCommand, hooks: MenuHooks): MenuItemConstructorOptions {
  const keys = command.keys === undefined ? {} : { accelerator: command.keys, registerAccelerator: false }
  return { id: command.id, label: command.label, ...keys, click: () => hooks.onCommand(command.id) }
}

function extras(label: string, samples: readonly Sample[], recentFiles: readonly string[], hooks: MenuHooks): MenuItemConstructorOptions[] {
  if (label === 'File') {
    return [
      SEPARATOR,
      { label: 'Open recent', enabled: recentFiles.length > 0, submenu: recentFiles.map((path) => ({ label: path, click: () => hooks.onFile(path) })) },
      { label: 'Open sample', submenu: samples.map((sample) => ({ label: sample.name, click: () => hooks.onSample(sample.id) })) },
      SEPARATOR,
      process.platform === 'darwin' ? { role: 'close' } : { role: 'quit' },
    ]
  }
  if (label === 'Edit') return [SEPARATOR, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }]
  if (label === 'View') return [SEPARATOR, { role: 'togglefullscreen' }, { role: 'toggleDevTools' }]
  return []
}
