import { type Command, Option } from 'commander'
import { type Environment, flagOf, settings } from '../config.ts'

export type SettingName = keyof typeof settings

/** Adds a flag for each setting; a flag wins over its variable. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { meaning, fallback, variable } = settings[name]
    const otherwise = fallback === '' ? '' : `, default ${fallback}`
    command.option(`--${flagOf(name)} <value>`, `${meaning} (${variable}${otherwise})`)
  }
  return command
}

/** A folder by its settings, or a server by its URL: it knows its own, so that both are too much. */
export const addSettingsOrUrl = (
  command: Command,
  names: readonly SettingName[],
  meaning = 'a running server, instead of a folder',
): Command =>
  addSettings(command, names).addOption(
    new Option('--url <url>', meaning).conflicts(names.map((name) => camelCase(flagOf(name)))),
  )

export const allSettings = Object.keys(settings) as readonly SettingName[]

/** What was given as flags, by the variables that they take the place of. */
export function flagsIn(options: Readonly<Record<string, unknown>>): Environment {
  const given = allSettings.flatMap((name) => {
    const value = options[camelCase(flagOf(name))]
    return typeof value === 'string' ? [[settings[name].variable, value] as const] : []
  })
  return Object.fromEntries(given)
}

const camelCase = (flag: string): string =>
  flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
