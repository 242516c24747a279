import { Agent, request } from 'node:http'
import type { Socket } from 'node:net'
import { expect } from 'chai'
import { createHttpApp } from '../../platform/http/app.ts'
import { defaultHttpLimits as limits } from '../../platform/http/limits.ts'
import { json, operation } from '../../platform/http/operation.ts'
import { listen } from '../../platform/http/server.ts'
import { silentLog as log } from '../../platform/log.ts'
import { createMetrics } from '../../platform/metrics.ts'

describe('a kept-alive connection', () => {
  it('has no more listeners after many requests that watched it than after one', async () => {
    const watches = operation({
      method: 'GET',
      path: '/watch',
      id: 'watch',
      tag: 'test',
      summary: 'Watches its connection',
      answers: { 200: { description: 'It did.' } },
      handle: ({ request: { signal } }) => json(200, { gone: signal.aborted }),
    })
    const app = createHttpApp({
      operations: [watches],
      problems: {},
      allowedHosts: ['127.0.0.1'],
      ...{ limits, log, metrics: createMetrics() },
    })
    const listeners: number[] = []
    let socket: Socket | undefined
    app.middleware.unshift((ctx, next) => {
      socket ??= ctx.req.socket
      expect(ctx.req.socket).equal(socket)
      listeners.push(socket.listenerCount('close'))
      return next()
    })
    const server = await listen({ app, host: '127.0.0.1', port: 0, limits, log })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const get = () =>
      new Promise<void>((resolve, reject) => {
        const outgoing = request(`${server.url}/watch`, { agent }, (answer) => {
          answer.resume().on('end', resolve)
        })
        outgoing.on('error', reject).end()
      })
    for (let n = 0; n < 20; n += 1) await get()
    agent.destroy()
    await server.close()
    expect(listeners).lengthOf(20)
    expect(listeners.at(-1)).equal(listeners.at(1))
  })
})
