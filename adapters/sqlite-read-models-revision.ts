/** A row of a table of a build's own schema, its revision as the port has it. */
export const withRevision = <T>(row: Readonly<Record<string, unknown>>): T =>
  ({ ...row, revision: BigInt(Number(row.revision)) }) as T
