/**
 * A whole number, zero or more, as text that sorts by its value: a letter for the count of digits,
 * then the digits. 7 is `a7`, 12 is `b12`. Parts of document ids.
 */
export function sortable(value: bigint | number): string {
  const digits = String(value)
  return String.fromCharCode(firstLetter + digits.length - 1) + digits
}

const firstLetter = 'a'.charCodeAt(0)
