import type { MessagePort, Worker } from 'node:worker_threads'

/** Functions of one thread that another may call; arguments and results are copied. */
export type ThreadFunctions = Readonly<
  // biome-ignore lint/suspicious/noExplicitAny: any function whose arguments can be copied
  Record<string, (...given: any[]) => unknown>
>

export type Remote<F extends ThreadFunctions> = {
  readonly [N in keyof F]: (...given: Parameters<F[N]>) => Promise<Awaited<ReturnType<F[N]>>>
}

interface Call {
  readonly call: number
  readonly name: string
  readonly given: readonly unknown[]
}

interface Return {
  readonly returns: number
  readonly value?: unknown
  readonly error?: Error
}

/** Answers calls that come through the port. */
export function serveCalls(port: MessagePort, functions: ThreadFunctions): void {
  port.on('message', async ({ call, name, given }: Call) => {
    try {
      port.postMessage({ returns: call, value: await functions[name]?.(...given) })
    } catch (error) {
      port.postMessage({ returns: call, error: copyable(error) })
    }
  })
}

/** An error that came from a third thread only looks like one, and is copied without its message. */
const copyable = (error: unknown): Error =>
  new Error(error instanceof Error ? error.message : String(error))

/** The functions that a thread serves. When it ends, calls that are under way and later ones fail. */
export function callsTo<F extends ThreadFunctions>(thread: Worker): Remote<F> {
  const underWay = new Map<number, PromiseWithResolvers<unknown>>()
  let calls = 0
  let ended: Error | undefined
  thread.on('message', ({ returns, value, error }: Return) => {
    const waiting = underWay.get(returns)
    underWay.delete(returns)
    if (error) waiting?.reject(error)
    else waiting?.resolve(value)
  })
  thread.on('exit', (code) => {
    ended = new Error(`a thread of the process ended with ${code}`)
    for (const { reject } of underWay.values()) reject(ended)
    underWay.clear()
  })
  const call = (name: string, given: readonly unknown[]): Promise<unknown> => {
    if (ended) return Promise.reject(ended)
    const waiting = Promise.withResolvers<unknown>()
    calls += 1
    underWay.set(calls, waiting)
    thread.postMessage({ call: calls, name, given } satisfies Call)
    return waiting.promise
  }
  return new Proxy({} as Remote<F>, {
    get: (_, name) =>
      name === 'then' ? undefined : (...given: unknown[]) => call(String(name), given),
  })
}
