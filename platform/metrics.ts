import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What the service measures of itself. One for each process, handed to whoever observes. */
export interface Metrics {
  readonly registry: Registry
  /** Seconds from a request's headers to its answer, by operation and class of status. */
  readonly http: Histogram<'operation' | 'status'>
  /** Seconds of one append, durable. */
  readonly append: Histogram
  /** Seconds of deciding one batch. */
  readonly decide: Histogram
}

/** What the thread of the projections measures. */
export interface ProjectionMetrics {
  readonly registry: Registry
  /** Seconds from an event's recording to its being visible, by projection. */
  readonly lag: Histogram<'projection'>
  /** Seconds since a projection was level with the log. */
  readonly behind: Gauge<'projection'>
}

const latencyBuckets = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
]
const registered = (registry: Registry) => ({ registers: [registry], buckets: latencyBuckets })

/** `ofProcess` adds figures of Node itself: memory, event loop, garbage collection. */
export function createMetrics({
  ofProcess = false,
}: {
  readonly ofProcess?: boolean
} = {}): Metrics {
  const registry = new Registry()
  if (ofProcess) collectDefaultMetrics({ register: registry })
  return {
    registry,
    http: new Histogram({
      name: 'evident_http_request_seconds',
      help: 'Time from the headers of a request to its answer',
      labelNames: ['operation', 'status'],
      ...registered(registry),
    }),
    append: new Histogram({
      name: 'evident_append_seconds',
      help: 'Time of one durable append to the event store',
      ...registered(registry),
    }),
    decide: new Histogram({
      name: 'evident_decide_seconds',
      help: 'Time of deciding one batch of commands',
      ...registered(registry),
    }),
  }
}

export function createProjectionMetrics(): ProjectionMetrics {
  const registry = new Registry()
  return {
    registry,
    lag: new Histogram({
      name: 'evident_projection_lag_seconds',
      help: 'Time from the recording of an event to its visibility in a read model',
      labelNames: ['projection'],
      ...registered(registry),
    }),
    behind: new Gauge({
      name: 'evident_projection_behind_seconds',
      help: 'How far a projection is behind the log right now',
      labelNames: ['projection'],
      registers: [registry],
    }),
  }
}
