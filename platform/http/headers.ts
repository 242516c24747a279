/** Which headers an answer carries for safety: that of the API, or of a page a browser shows. */
export type HeaderSheet = 'api' | 'page'

const common = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

export const headerSheets = {
  api: {
    ...common,
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  },
  page: {
    ...common,
    'Cache-Control': 'no-cache',
    'Content-Security-Policy':
      "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
      "img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; " +
      "frame-ancestors 'none'",
    'Cross-Origin-Opener-Policy': 'same-origin',
    'X-Frame-Options': 'DENY',
  },
} as const satisfies Record<HeaderSheet, Readonly<Record<string, string>>>
