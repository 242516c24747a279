import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type Operation, operation, raw } from './operation.ts'

/** Shows `/openapi.json` in a browser. Everything comes from here: it works without internet. */
export const docsOperations = (title: string): readonly Operation[] => [
  asset('/docs', 'getDocs', 'text/html; charset=utf-8', () => page(title)),
  asset('/docs/start.js', 'getDocsScript', 'text/javascript; charset=utf-8', () => startScript),
  asset('/docs/swagger-ui.css', 'getDocsStyles', 'text/css; charset=utf-8', () =>
    distributed('swagger-ui.css'),
  ),
  asset('/docs/swagger-ui.js', 'getDocsViewer', 'text/javascript; charset=utf-8', () =>
    distributed('swagger-ui-bundle.js'),
  ),
  asset('/docs/icon.png', 'getDocsIcon', 'image/png', () => distributed('favicon-32x32.png')),
]

type Content = string | Buffer

function asset(
  path: string,
  id: string,
  type: string,
  load: () => Content | Promise<Content>,
): Operation {
  let content: Content | undefined
  return operation({
    method: 'GET',
    path,
    id,
    tag: 'service',
    summary: `The documentation in a browser (${path})`,
    sheet: 'page',
    answers: { 200: { description: 'A file of the page', type, schema: { type: 'string' } } },
    async handle() {
      content ??= await load()
      return raw(200, content)
    },
  })
}

const distributed = (file: string): Promise<Buffer> =>
  readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${file}`)))

const page = (title: string): string => `<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title}</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css">
    <link rel="icon" type="image/png" href="/docs/icon.png">
  </head>
  <body>
    <div id="api"></div>
    <script src="/docs/swagger-ui.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
})
`
