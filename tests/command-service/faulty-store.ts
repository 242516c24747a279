import type { EventStore } from '../../events/event-store.ts'

type Append = EventStore['append']

export interface FaultyStore extends EventStore {
  /** Each append goes through this, which may fail before or after it, or wait. */
  intercept: (append: () => ReturnType<Append>, call: Parameters<Append>) => ReturnType<Append>
  /** All appends that were asked for, in order. */
  readonly appends: Parameters<Append>[]
}

/** The real store, with appends that can be made to fail; `exclusive` as for a shared engine. */
export function faultyStore(store: EventStore, { exclusive = true } = {}): FaultyStore {
  const faulty: FaultyStore = {
    ...store,
    exclusive,
    appends: [],
    intercept: (append) => append(),
    append(...call) {
      faulty.appends.push(call)
      return faulty.intercept(() => store.append(...call), call)
    },
    close: async () => {},
  }
  return faulty
}

/** From now on appends wait until what it returns is called. */
export function holdAppends(store: FaultyStore): () => void {
  const gate = Promise.withResolvers<void>()
  store.intercept = async (append) => {
    await gate.promise
    return append()
  }
  return gate.resolve
}
