/** The sum of two amounts as decimal digits, exact at any size. */
export const plus = (a: string, b: string): string => (BigInt(a) + BigInt(b)).toString()
