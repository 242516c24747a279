import type Router from '@koa/router'
import type { RouterMiddleware } from '@koa/router'

/** A route of the router, and its path's parameters in one request. */
export interface FoundRoute {
  readonly handle: RouterMiddleware
  readonly params: Record<string, string>
}

/** Finds the route of a request line, or `undefined` where that is left to the router. */
export type FindRoute = (method: string, url: string) => FoundRoute | undefined

/** One route as what stands between its slashes. */
interface Template {
  readonly segments: readonly Segment[]
  readonly handle: RouterMiddleware
}

interface Segment {
  /** What it must be; `undefined` where it is the parameter of this name. */
  readonly literal: string | undefined
  readonly name: string
}

/** Letters, digits and what else needs no decoding. */
const isPlainPath = /^\/[\w.:~/-]*$/
const isPlainTemplate = /^(\/(:[A-Za-z_]\w*|[\w.-]+))+$/

/**
 * The routes of a router by method and number of segments: a request is compared with the few that
 * it can be, where the router tries the regular expression of each, and composes what it found. All
 * that is not plain is left to the router: paths that need decoding, what no route takes, and routes
 * from the first on whose template is more than literals and `:names`. The first route that was
 * registered wins, as in the router.
 */
export function createRouteIndex(router: Router): FindRoute {
  const templates = new Map<string, Template[]>()
  for (const { path, methods, stack } of router.stack) {
    const [handle, ...more] = stack
    if (typeof path !== 'string' || !isPlainTemplate.test(path)) break
    if (handle === undefined || more.length > 0) break
    const segments = path.split('/').map(segmentOf)
    for (const method of methods) {
      const key = `${method}${segments.length}`
      templates.set(key, [...(templates.get(key) ?? []), { segments, handle }])
    }
  }

  return (method, url) => {
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    if (!isPlainPath.test(path)) return undefined
    const parts = path.split('/')
    for (const template of templates.get(`${method}${parts.length}`) ?? []) {
      const params = paramsOf(template, parts)
      if (params) return { handle: template.handle, params }
    }
    return undefined
  }
}

const segmentOf = (text: string): Segment =>
  text.startsWith(':') ? { literal: undefined, name: text.slice(1) } : { literal: text, name: '' }

/** `undefined` where the path is not of the template. */
function paramsOf(
  { segments }: Template,
  parts: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  let at = 0
  for (const { literal, name } of segments) {
    const part = parts[at] ?? ''
    if (literal === undefined && part !== '') params[name] = part
    else if (part !== literal) return undefined
    at += 1
  }
  return params
}
