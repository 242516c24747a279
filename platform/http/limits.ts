/** What one client can take of the server. All of it is configurable by name. */
export interface HttpLimits {
  /** Bytes of one JSON body. */
  readonly maxBodyBytes: number
  /** Objects and arrays inside each other in a JSON body. */
  readonly maxJsonDepth: number
  /** Time for the whole of a JSON body to arrive, after the headers. */
  readonly bodyTimeoutMs: number
  /** Silence allowed in a body that is streamed, and in a client that does not read its answer. */
  readonly stallTimeoutMs: number
  /** Bytes of the request line and all headers together. */
  readonly maxHeaderBytes: number
  readonly maxHeaders: number
  /** Time for all headers to arrive, from the connection or the request's first byte on. */
  readonly headersTimeoutMs: number
  /** How long a connection may stay open between requests. */
  readonly keepAliveMs: number
  readonly maxConnections: number
  /** How long a graceful stop waits for requests under way. */
  readonly closeDeadlineMs: number
}

export const defaultHttpLimits: HttpLimits = {
  maxBodyBytes: 1_048_576,
  maxJsonDepth: 32,
  bodyTimeoutMs: 10_000,
  stallTimeoutMs: 30_000,
  maxHeaderBytes: 16_384,
  maxHeaders: 100,
  headersTimeoutMs: 10_000,
  keepAliveMs: 10_000,
  maxConnections: 2_000,
  closeDeadlineMs: 10_000,
}
