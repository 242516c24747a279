import Koa from 'koa'

/** What Koa can do at most: one route that answers a text, in a process of its own. */
process.on('message', ({ text }: { readonly text: string }) => {
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
