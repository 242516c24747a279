import { join } from 'node:path'
import type { LogLevel } from '../platform/log.ts'

/** Everything that can be set, read once at the start and then only handed on. */
export interface Config {
  /** Folder of all that the process keeps. */
  readonly dataFolder: string
  /** The log: a SQLite file. */
  readonly eventStorePath: string
  /** A folder of SQLite files. */
  readonly readModelsFolder: string
  readonly host: string
  readonly port: number
  /** Whether anybody may use an address beyond this machine: there is no identity yet. */
  readonly allowAnonymous: boolean
  /** Names by which clients may call the service, beside its own address. */
  readonly allowedHosts: readonly string[]
  readonly logLevel: LogLevel
  /** How long a command may wait to be decided and appended. */
  readonly commandTimeoutMs: number
  /** Memory for the folded states of ledgers in use. */
  readonly maxHotBytes: number
  /** How long a stop waits for what is under way. */
  readonly stopTimeoutMs: number
}

export type Environment = Readonly<Record<string, string | undefined>>

/** All that is wrong with the configuration, a line each. */
export class InvalidConfig extends Error {
  readonly code = 'INVALID_CONFIG'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

/** One setting: its variable, what it is when left out, and how its text is read. */
export interface Setting<T> {
  readonly variable: string
  readonly meaning: string
  readonly fallback: string
  /** The value, or `undefined` where the text is none. */
  readonly read: (text: string) => T | undefined
  readonly form: string
}

const text = (value: string) => (value === '' ? undefined : value)

const whole =
  (least: number, most: number) =>
  (value: string): number | undefined => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most ? number : undefined
  }

const afterScheme = (scheme: string) => (value: string) =>
  value.startsWith(scheme) ? text(value.slice(scheme.length)) : undefined

const logLevels: readonly LogLevel[] = [
  'trace',
  'debug',
  'info',
  'warn',
  'error',
  'fatal',
  'silent',
]

export const settings = {
  DATA_FOLDER: {
    variable: 'DATA_FOLDER',
    meaning: 'Folder of all that the process keeps',
    fallback: './data',
    read: text,
    form: 'a path',
  },
  EVENT_STORE: {
    variable: 'EVENT_STORE',
    meaning: 'Where the log is',
    fallback: '',
    read: afterScheme('sqlite:'),
    form: '`sqlite:` and a path, such as sqlite:./data/events.db',
  },
  EVENT_BUS: {
    variable: 'EVENT_BUS',
    meaning: 'What fans events out',
    fallback: 'memory:',
    read: (value: string) => (value === 'memory:' ? 'memory' : undefined),
    form: '`memory:`',
  },
  READ_MODELS: {
    variable: 'READ_MODELS',
    meaning: 'Where read models are',
    fallback: '',
    read: afterScheme('sqlite:'),
    form: '`sqlite:` and a folder, such as sqlite:./data/read-models',
  },
  HOST: {
    variable: 'HOST',
    meaning: 'Address to listen on',
    fallback: '127.0.0.1',
    read: text,
    form: 'an address',
  },
  PORT: {
    variable: 'PORT',
    meaning: 'Port to listen on, 0 for any that is free',
    fallback: '8080',
    read: whole(0, 65_535),
    form: 'a whole number from 0 to 65535',
  },
  ALLOWED_HOSTS: {
    variable: 'ALLOWED_HOSTS',
    meaning: 'Names by which clients may call the service, beside its own address',
    fallback: '',
    read: (value: string) =>
      value
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    form: 'names, separated by commas',
  },
  LOG_LEVEL: {
    variable: 'LOG_LEVEL',
    meaning: 'The least important lines that are logged',
    fallback: 'info',
    read: (value: string) => logLevels.find((level) => level === value),
    form: logLevels.join(', '),
  },
  COMMAND_TIMEOUT_MS: {
    variable: 'COMMAND_TIMEOUT_MS',
    meaning: 'How long a command may wait, in milliseconds',
    fallback: '10000',
    read: whole(100, 600_000),
    form: 'a whole number from 100 to 600000',
  },
  MAX_HOT_BYTES: {
    variable: 'MAX_HOT_BYTES',
    meaning: 'Memory for the folded states of ledgers in use, in bytes',
    fallback: '268435456',
    read: whole(1_048_576, 1_099_511_627_776),
    form: 'a whole number from 1048576',
  },
  STOP_TIMEOUT_MS: {
    variable: 'STOP_TIMEOUT_MS',
    meaning: 'How long a stop waits for what is under way, in milliseconds',
    fallback: '10000',
    read: whole(0, 600_000),
    form: 'a whole number from 0 to 600000',
  },
} as const satisfies Readonly<Record<string, Setting<unknown>>>

/** A setting's flag: `DATA_FOLDER` is `data`, any other its name in lower case, as `log-level`. */
export const flagOf = (variable: string): string =>
  variable === 'DATA_FOLDER' ? 'data' : variable.toLowerCase().replaceAll('_', '-')

export interface LoadConfig {
  readonly allowAnonymous?: boolean
  /** Values given as flags, by the variables that they take the place of. */
  readonly flags?: Environment
}

/**
 * Reads the whole configuration.
 * @throws {InvalidConfig} with everything that is wrong, at once, each named as it was given
 */
export function loadConfig(
  variables: Environment,
  { allowAnonymous = false, flags = {} }: LoadConfig = {},
): Config {
  const environment = { ...variables, ...flags }
  const problems: string[] = []
  const given = (variable: string): string => {
    const value = environment[variable]
    return flags[variable] === undefined ? `${variable}=${value}` : `--${flagOf(variable)} ${value}`
  }

  function read<T>({ variable, fallback, read, form }: Setting<T>, otherwise = fallback): T {
    const value = read(environment[variable] ?? otherwise)
    if (value === undefined) problems.push(`${given(variable)}: expected ${form}`)
    return value as T // where it is not one, a problem is thrown below
  }

  const dataFolder = read(settings.DATA_FOLDER)
  const config: Config = {
    dataFolder,
    eventStorePath: read(settings.EVENT_STORE, `sqlite:${join(dataFolder ?? '', 'events.db')}`),
    readModelsFolder: read(settings.READ_MODELS, `sqlite:${join(dataFolder ?? '', 'read-models')}`),
    host: read(settings.HOST),
    port: read(settings.PORT),
    allowAnonymous,
    allowedHosts: read(settings.ALLOWED_HOSTS),
    logLevel: read(settings.LOG_LEVEL),
    commandTimeoutMs: read(settings.COMMAND_TIMEOUT_MS),
    maxHotBytes: read(settings.MAX_HOT_BYTES),
    stopTimeoutMs: read(settings.STOP_TIMEOUT_MS),
  }
  read(settings.EVENT_BUS)
  if (config.host !== undefined && !isLoopback(config.host) && !allowAnonymous) {
    problems.push(
      `${given('HOST')}: others could reach it, and there is no identity yet; ` +
        'give --allow-anonymous if that is meant',
    )
  }
  if (problems.length > 0) throw new InvalidConfig(problems)
  return Object.freeze(config)
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
