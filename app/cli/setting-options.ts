import { type Command, Option } from 'commander'
import { type Environment, settings } from '../config.ts'

export type SettingName = keyof typeof settings

/** `DATA_FOLDER` is `--data`, any other is its name in lower case: `LOG_LEVEL` is `--log-level`. */
export const flagOf = (name: SettingName): string =>
  name === 'DATA_FOLDER' ? 'data' : name.toLowerCase().replaceAll('_', '-')

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

/** The environment with what the flags say over it. */
export function withFlags(
  environment: Environment,
  options: Readonly<Record<string, unknown>>,
): Environment {
  const given = allSettings.flatMap((name) => {
    const value = options[camelCase(flagOf(name))]
    return typeof value === 'string' ? [[settings[name].variable, value] as const] : []
  })
  return { ...environment, ...Object.fromEntries(given) }
}

const camelCase = (flag: string): string =>
  flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())
