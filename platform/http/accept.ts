import type { IncomingMessage } from 'node:http'
import { problem } from './edge-problems.ts'

/** @throws {Problem} 406 where the caller takes no media type that the operation answers */
export function checkAccept(req: IncomingMessage, type: string): void {
  const accept = req.headers.accept
  if (accept === undefined || accept === '*/*' || accept === type) return
  const [main] = type.split('/')
  const accepted = accept.split(',').some((range) => {
    const [name = '', ...parameters] = range.toLowerCase().split(';')
    const isRefused = parameters.some((parameter) => /^\s*q\s*=\s*0(\.0*)?\s*$/.test(parameter))
    return !isRefused && [type, `${main}/*`, '*/*'].includes(name.trim())
  })
  if (!accepted) throw problem('not-acceptable', { detail: `The answer is ${type}.` })
}
