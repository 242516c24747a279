import type { Projection } from './projection.ts'

/** A build's name says what it is: `accounts-v1.2` is the second build of version 1. */
export interface BuildName {
  readonly projection: string
  readonly version: number
  readonly generation: number
}

type Named = Pick<Projection, 'name' | 'version'>

const pattern = /^([a-z][a-z0-9-]*)-v([1-9][0-9]*)\.([1-9][0-9]*)$/

export const versionedName = ({ name, version }: Named): string => `${name}-v${version}`

export const buildName = (projection: Named, generation: number): string =>
  `${versionedName(projection)}.${generation}`

/** `undefined` where the text is no build's name. */
export function parseBuildName(text: string): BuildName | undefined {
  const [, projection, version, generation] = pattern.exec(text) ?? []
  if (projection === undefined) return undefined
  return { projection, version: Number(version), generation: Number(generation) }
}

export const isBuildOf = (text: string, projection: Named): boolean => {
  const name = parseBuildName(text)
  return name?.projection === projection.name && name.version === projection.version
}

/** The name that no build of this version has had yet. */
export function nextBuildName(projection: Named, builds: readonly string[]): string {
  const generations = builds
    .filter((build) => isBuildOf(build, projection))
    .map((build) => parseBuildName(build)?.generation ?? 0)
  return buildName(projection, Math.max(0, ...generations) + 1)
}
