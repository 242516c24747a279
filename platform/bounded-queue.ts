/** A queue of limited length between one that adds and one that takes. */
export interface BoundedQueue<T> {
  first(): T | undefined
  shift(): void
  push(item: T): void
  end(): void
  /** Resolves at the next push, shift or end. */
  changed(): Promise<void>
  readonly isFull: boolean
  readonly isEnded: boolean
}

/** A ring: taking from the front of an array is slow. `push` beyond the limit is a mistake. */
export function createBoundedQueue<T>(limit: number): BoundedQueue<T> {
  const ring = new Array<T | undefined>(limit)
  let head = 0
  let length = 0
  let isEnded = false
  let change = Promise.withResolvers<void>()
  let isAwaited = false
  const tell = () => {
    if (!isAwaited) return
    change.resolve()
    change = Promise.withResolvers<void>()
    isAwaited = false
  }
  return {
    first: () => (length === 0 ? undefined : ring[head]),
    shift() {
      ring[head] = undefined
      head = (head + 1) % limit
      length -= 1
      tell()
    },
    push(item) {
      ring[(head + length) % limit] = item
      length += 1
      tell()
    },
    end() {
      isEnded = true
      tell()
    },
    changed() {
      isAwaited = true
      return change.promise
    },
    get isFull() {
      return length >= limit
    },
    get isEnded() {
      return isEnded
    },
  }
}
