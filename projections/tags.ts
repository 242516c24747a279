/** Metadata as texts that an index finds it by: `k=v`, a key having no `=`. */
export const tagsOf = (metadata: Readonly<Record<string, string>> | undefined): string[] =>
  metadata === undefined ? [] : Object.entries(metadata).map(([key, value]) => tag(key, value))

export const tag = (key: string, value: string): string => `${key}=${value}`
