import Koa from 'koa'

type Message = { readonly text: string } | 'usage'

/** What Koa can do at most: one route that answers a text, in a process of its own. */
process.on('message', (message: Message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ cpuSeconds: (user + system) / 1e6 })
    return
  }
  const { text } = message
  const app = new Koa()
  app.use((ctx) => {
    ctx.type = 'application/json'
    ctx.body = text
  })
  const server = app.listen(0, '127.0.0.1', () => {
    const address = server.address()
    process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
  })
})
