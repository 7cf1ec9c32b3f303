import { Menu, type MenuItemConstructorOptions } from 'electron'
import { menuCommands, menuTitles, recentDatasetCommand, type MenuCommand } from '../contract/commands.ts'
import type { Sample } from './samples.ts'
import { shellWords, type ShellLanguage } from './words.ts'

export interface MenuContents {
  readonly language: ShellLanguage
  readonly samples: readonly Sample[]
  readonly recentFiles: readonly string[]
  readonly recentDatasets: readonly string[]
  readonly onCommand: (id: string) => void
  readonly onSample: (id: string) => void
  readonly onFile: (path: string) => void
}

const SEPARATOR: MenuItemConstructorOptions = { type: 'separator' }
const MENUS = Object.keys(menuTitles) as MenuCommand['menu'][]

/** Builds the application's menu: the contract's commands, and what only the system or main can do. */
export function setMenu(contents: MenuContents): void {
  const sections = MENUS.map((menu): MenuItemConstructorOptions => ({
    label: menuTitles[menu][contents.language],
    submenu: [...menuCommands.filter((command) => command.menu === menu).flatMap((command) => items(command, contents)), ...extras(menu, contents)],
  }))
  const application: MenuItemConstructorOptions[] = process.platform === 'darwin' ? [{ role: 'appMenu' }] : []
  Menu.setApplicationMenu(Menu.buildFromTemplate([...application, ...sections]))
}

function items(command: MenuCommand, { language, onCommand }: MenuContents): MenuItemConstructorOptions[] {
  const keys = command.accelerator === null ? {} : { accelerator: command.accelerator, registerAccelerator: false }
  const item = { id: command.id, label: command.title[language], ...keys, click: () => onCommand(command.id) }
  return command.separated ? [SEPARATOR, item] : [item]
}

function extras(
  menu: MenuCommand['menu'],
  { language, samples, recentFiles, recentDatasets, onCommand, onSample, onFile }: MenuContents,
): MenuItemConstructorOptions[] {
  const words = shellWords[language]
  if (menu === 'file') {
    return [
      SEPARATOR,
      {
        label: words.openRecent,
        enabled: recentFiles.length + recentDatasets.length > 0,
        submenu: [
          ...recentFiles.map((path) => ({ label: path, click: () => onFile(path) })),
          ...(recentFiles.length > 0 && recentDatasets.length > 0 ? [SEPARATOR] : []),
          ...recentDatasets.map((path) => ({ label: path, click: () => onCommand(recentDatasetCommand(path)) })),
        ],
      },
      { label: words.openSample, submenu: samples.map((sample) => ({ label: sample.name, click: () => onSample(sample.id) })) },
      SEPARATOR,
      process.platform === 'darwin' ? { role: 'close' } : { role: 'quit' },
    ]
  }
  if (menu === 'edit') return [SEPARATOR, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }]
  if (menu === 'view') return [SEPARATOR, { role: 'togglefullscreen' }, { role: 'toggleDevTools' }]
  return []
}
